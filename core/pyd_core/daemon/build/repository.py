"""Contexts in Git repositories: `URL#REF:DIRECTORY`, as the builder of Docker Engine accepts.

The syntax follows api/urlutil of its sources, and the selection builder/remotecontext/git. The `git` program fetches
it, one revision deep, without this host's configuration, hooks or password prompts, and only with the protocols below,
also for submodules. Unlike Docker Engine, without a ref the newest revision of the repository's own HEAD is used, and
the directory `.git`, which differs between clones, is left out.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import InvalidInput, KernelError, Unsupported
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.tar.unpack import UnpackLimits

MAX_FILE_BYTES = 4 << 30
"""Limit for a file that git writes, including packs."""
MAX_URL_LENGTH = 2048
_BY_SSH = re.compile(r"git@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][\w.-]*)[:/][^:\s-]\S*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NO_REF = re.compile(r"^[-+./]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|(\.|/|\.lock)$")
"""git-check-ref-format(1), and texts that would be an option or more than a name."""


@dataclass(frozen=True)
class Repository:
    """Repository and the part of it that is the context.

    Attributes:
        url: The URL for git.
        ref: A branch, a tag or the digest of a revision; `HEAD` is the repository's own.
        directory: The directory of the context; empty is the root.
    """

    PREFIXES: ClassVar[tuple[str, ...]] = ("git://", "git@", "github.com/")

    url: str
    ref: str = "HEAD"
    directory: str = ""

    @classmethod
    def parse(cls, text: str) -> Repository | None:
        """Parse a client's context; return None if it isn't a repository.

        Raises:
            InvalidInput: It is an invalid one.
        """
        url, _, fragment = text.partition("#")
        by_http = url.startswith(("http://", "https://"))
        if not (text.startswith(cls.PREFIXES) or (by_http and url.endswith(".git"))):
            return None
        if not by_http and not url.startswith(("git://", "git@")):
            url = f"https://{url}"
        if len(text) > MAX_URL_LENGTH:
            raise InvalidInput(f"{_without_secrets(url)} is no address of a repository")
        return cls.from_address(url, fragment)

    @classmethod
    def from_address(cls, url: str, fragment: str = "") -> Repository:
        """Return a repository by its address, and by a reference with a directory: `REF:DIRECTORY`.

        Raises:
            InvalidInput: One is invalid.
        """
        if len(url) > MAX_URL_LENGTH or not _is_address(url):
            raise InvalidInput(f"{_without_secrets(url)} is no address of a repository")
        ref, _, directory = fragment.partition(":")
        if ref and _NO_REF.search(ref):
            raise InvalidInput(f"invalid refspec: {ref[:100]!r}")
        directory = os.path.normpath(directory.lstrip("/")) if directory else ""
        if "\0" in directory or directory.split("/")[0] == "..":
            raise InvalidInput(f"{directory[:100]!r} is not within the repository")
        return cls(url, ref or "HEAD", "" if directory == "." else directory)

    @property
    def shown(self) -> str:
        """The address without secrets."""
        return _without_secrets(self.url)

    async def resolve(self, variables: Mapping[str, str]) -> str:
        """Return the digest of the revision that the reference means, without fetching it.

        Raises:
            InvalidInput: There is no such reference.
            Unsupported: git isn't installed.
        """
        if _REVISION.fullmatch(self.ref):
            return self.ref
        lines = bytearray()
        await self._git(
            Path("/"), "ls-remote", "--", self.url, self.ref, f"{self.ref}^{{}}", out=lines.extend, variables=variables
        )
        rows = [line.split() for line in lines.decode(errors="replace").splitlines()]
        revisions = [row[0] for row in rows if len(row) == 2 and _REVISION.fullmatch(row[0])]
        peeled = [row[0] for row in rows if len(row) == 2 and row[1].endswith("^{}")]
        if not revisions:
            raise InvalidInput(f"{self.shown} has no reference {self.ref[:100]}")
        return (peeled or revisions)[0]

    async def clone(
        self, into: Path, *, keeps_git_directory: bool = False, variables: Mapping[str, str] | None = None
    ) -> Path:
        """Clone into an empty directory, with submodules.

        Args:
            into: The directory.
            keeps_git_directory: Whether `.git` stays.
            variables: Variables of the environment for git.

        Returns:
            The directory of the context.

        Raises:
            InvalidInput: git can't fetch it, it is too large, or the directory is missing.
            Unsupported: git isn't installed.
        """
        more = variables or {}
        await self._git(into, "init", "-q", "--template=")
        await self._git(into, "config", "remote.origin.url", self.url)  # URLs of submodules may be relative to it
        revision = ("--no-tags", "--", self.url, self.ref)
        try:
            await self._git(into, "fetch", "-q", "--depth=1", *revision, variables=more)
        except InvalidInput as error:
            if "shallow" not in str(error):
                raise
            await self._git(into, "fetch", "-q", *revision, variables=more)  # a server that only serves files
        await self._git(into, "ls-tree", "-r", "-l", "-z", "FETCH_HEAD", out=_EntryCounter(self).add)
        await self._git(into, "checkout", "-q", "--detach", "FETCH_HEAD")
        submodules = ("submodule", "-q", "update", "--init", "--recursive", "--depth=1")
        await self._git(into, *submodules, variables=more)
        if not keeps_git_directory:
            shutil.rmtree(into / ".git")
        return self._inside(into)

    async def _git(
        self,
        into: Path,
        *arguments: str,
        out: subprocesses.OnOutput | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        if shutil.which("git") is None:
            raise Unsupported("git is missing, which gets repositories", hint="apt-get install git", reference="no-git")
        settings = {
            "core.hooksPath": "/dev/null",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": "60",
            "gc.auto": "0",
        }
        command = ["prlimit", f"--fsize={MAX_FILE_BYTES}", "git"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        result = await subprocesses.run(
            [*command, *arguments], env={**self._environment(), **(variables or {})}, cwd=str(into), out=out, group=True
        )
        if result.code != 0:
            raise InvalidInput(f"{_without_secrets(self.url)}: {self._error_message(result)}")

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_ASKPASS"))}
        by_ssh = ":ssh" if self.url.startswith("git@") else ""  # otherwise the host's keys don't concern the repository
        return own | {
            "HOME": "/dev/null",
            "XDG_CONFIG_HOME": "/dev/null",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
            "GIT_ALLOW_PROTOCOL": f"https:http:git{by_ssh}",
        }

    def _error_message(self, done: subprocesses.CompletedProgram) -> str:
        if done.code == -25 or b"signal 25" in done.err:
            return f"larger than the {MAX_FILE_BYTES} bytes that are fetched"
        lines = done.err.decode(errors="replace").replace(self.url, _without_secrets(self.url)).splitlines()
        errors = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or lines[-1:]
        return f"git: {'; '.join(errors)[:500]}"

    def _inside(self, into: Path) -> Path:
        try:
            with RootDirectory(into) as root:
                fd = root.open(self.directory or "/", os.O_PATH | os.O_DIRECTORY)
        except KernelError as error:
            raise InvalidInput(f"the repository has no directory {self.directory[:200]!r}") from error
        try:
            return Path(f"/proc/self/fd/{fd}").readlink()
        finally:
            os.close(fd)


class _EntryCounter:
    """Counter of entries and bytes from `git ls-tree -r -l -z`, with the limits for archives."""

    def __init__(self, repository: Repository) -> None:
        self._without_secrets = _without_secrets(repository.url)
        self._limits = UnpackLimits()
        self._bytes = self._entries = 0
        self._rest = b""

    def add(self, data: bytes) -> None:
        """Add output; an entry is mode, type, digest and size, a tab, the name and a zero byte."""
        *whole, self._rest = (self._rest + data).split(b"\0")
        for entry in whole:
            size = entry.partition(b"\t")[0].split()[-1]
            self._entries += 1
            self._bytes += int(size) if size.isdigit() else 0
        if self._bytes > self._limits.bytes or self._entries > self._limits.entries:
            raise InvalidInput(f"{self._without_secrets}: what is in there grows beyond bounds")


def _is_address(url: str) -> bool:
    if url.startswith("git@"):
        return _BY_SSH.fullmatch(url) is not None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return bool(host) and not host.startswith("-") and len(parts.path) > 1 and not _CONTROL.search(url)


def _without_secrets(url: str) -> str:
    """Return an address without secrets."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)[:200]
