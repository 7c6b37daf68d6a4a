"""References to git repositories: `https://host/repo.git#ref:dir`, `git@host:repo.git?ref=v1&subdir=dir`."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.booleans import BOOLS

_SCP = re.compile(r"(?:([a-zA-Z0-9_-]+)@)?([a-zA-Z0-9-][a-zA-Z0-9.-]*):([^?#/][^?#]*|/[^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_SCHEMES = frozenset({"http", "https", "git", "ssh"})
_QUERY_KEYS = frozenset({"ref", "tag", "branch", "subdir", "checksum", "commit", "keep-git-dir", "submodules"})
_CHECKSUM = re.compile(r"[0-9a-f]{1,64}")


class GitReference(msgspec.Struct, frozen=True, kw_only=True):
    """Repository, and what of it."""

    remote: str
    """The URL to fetch from, without fragment and query."""
    host: str
    path: str
    is_ssh: bool = False
    ref: str = ""
    subdirectory: str = ""
    checksum: str = ""
    keep_git_directory: bool | None = None
    submodules: bool | None = None
    looks_local: bool = False
    """Whether it could be a local path too: `github.com/owner/repo`."""

    @property
    def identity(self) -> str:
        """Host and path, the same for each protocol."""
        return f"{self.host}/{self.path.lstrip('/')}"


def parse_git_reference(text: str) -> GitReference | None:
    """Parse a reference to a git repository; return None for anything else, such as paths and other URLs.

    Raises:
        InvalidInput: It is a repository, but the query is malformed.
    """
    if text.startswith(("./", "../", "/")) or any(letter.isspace() for letter in text):
        return None
    if text.startswith("github.com/"):
        parsed = _parse_url(f"https://{text}", looks_local=True)
    elif "://" in text:
        parsed = _parse_url(text, looks_local=False)
    else:
        parsed = _parse_scp(text)
    return _with_query(*parsed) if parsed is not None else None


def _parse_url(text: str, *, looks_local: bool) -> tuple[GitReference, str, str] | None:
    """Return the repository, the query and the fragment of a URL."""
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    host = url.netloc.rpartition("@")[2]
    is_web = url.scheme in {"http", "https"} and not looks_local
    if url.scheme not in _SCHEMES or (is_web and not url.path.endswith(".git")) or not host or not url.path.strip("/"):
        return None
    reference = GitReference(
        remote=f"{url.scheme}://{url.netloc}{url.path}", host=host, path=url.path, is_ssh=url.scheme == "ssh",
        looks_local=looks_local,
    )  # fmt: skip
    return reference, url.query, url.fragment


def _parse_scp(text: str) -> tuple[GitReference, str, str] | None:
    """Return the repository, the query and the fragment of `USER@HOST:PATH`."""
    match = _SCP.fullmatch(text)
    if match is None or (match[1] is None and not match[3].endswith(".git")):
        return None
    user = f"{match[1]}@" if match[1] else ""
    reference = GitReference(remote=f"{user}{match[2]}:{match[3]}", host=match[2], path=match[3], is_ssh=True)
    return reference, match[4] or "", match[5] or ""


def _with_query(reference: GitReference, query: str, fragment: str) -> GitReference:
    ref, _, subdirectory = fragment.partition(":")
    values = {"ref": ref, "subdir": subdirectory.strip("/")}
    keep: bool | None = None
    submodules: bool | None = None
    checksum = ""
    for name, texts in parse_qs(query, keep_blank_values=True).items():
        if name not in _QUERY_KEYS:
            raise InvalidInput(f'unexpected query "{name[:60]}"', hint=", ".join(sorted(_QUERY_KEYS)))
        if len(texts) > 1:
            raise InvalidInput(f'query "{name}" has multiple values')
        value = texts[0]
        if name in {"keep-git-dir", "submodules"}:
            flag = BOOLS.get(value or "true")
            if flag is None:
                raise InvalidInput(f'invalid {name} value: "{value[:60]}"')
            keep, submodules = (flag, submodules) if name == "keep-git-dir" else (keep, flag)
            continue
        if not value:
            raise InvalidInput(f'query "{name}" has no value')
        if name in {"checksum", "commit"}:
            checksum = value
            continue
        key = "subdir" if name == "subdir" else "ref"
        prefix = {"tag": "refs/tags/", "branch": "refs/heads/"}.get(name, "")
        value = value if value.startswith(prefix) else prefix + value
        if values[key] and values[key] != value:
            raise InvalidInput(f'{key} conflicts: "{values[key][:80]}" vs "{value[:80]}"')
        values[key] = value
    if checksum and not _CHECKSUM.fullmatch(checksum):
        raise InvalidInput(f'"{checksum[:80]}" is not a commit')
    return msgspec.structs.replace(
        reference, ref=values["ref"] or checksum, subdirectory=values["subdir"], checksum=checksum,
        keep_git_directory=keep, submodules=submodules,
    )  # fmt: skip
