"""Image references: the short form that `docker pull` accepts, and the full form.

See the grammar in the distribution project's `reference` documentation: `[domain/]path[:tag][@digest]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyd_core.errors import InvalidInput

DEFAULT_DOMAIN = "docker.io"

_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d+)?")
IMAGE_ID = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})")


@dataclass(frozen=True)
class Reference:
    """Parsed image reference."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The full repository: `docker.io/library/debian`."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        """The short form of the repository: `debian`."""
        if self.domain == DEFAULT_DOMAIN:
            return self.path.removeprefix("library/")
        return self.repository

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.familiar}{tag}{digest}"


def parse(text: str, *, default_tag: str = "latest") -> Reference:
    """Parse a reference; a default tag is added if it has neither tag nor digest.

    Raises:
        InvalidInput: It is not a reference to an image.
    """
    rest, _, digest = text.partition("@")
    if digest and not _DIGEST.fullmatch(digest):
        raise InvalidInput(f"invalid reference format: {digest[:80]!r} is not a digest")
    colon, slash = rest.rfind(":"), rest.rfind("/")
    tag = ""
    if colon > slash:
        rest, tag = rest[:colon], rest[colon + 1 :]
        if not _TAG.fullmatch(tag):
            raise InvalidInput("invalid reference format: the tag has characters that tags can't have")
    first, slash_found, remainder = rest.partition("/")
    if slash_found and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        domain, path = first, remainder
    else:
        domain, path = DEFAULT_DOMAIN, rest if slash_found else f"library/{rest}"
    if domain in {"index.docker.io", "registry-1.docker.io"}:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and path and "/" not in path:
        path = f"library/{path}"
    if not _DOMAIN.fullmatch(domain) or not _PATH.fullmatch(path) or len(path) > 255:
        hint = "names of repositories are lower case" if path != path.lower() else ""
        raise InvalidInput(f"invalid reference format: {text[:120]!r} is not the name of an image", hint=hint)
    if not tag and not digest:
        tag = default_tag
    return Reference(domain, path, tag, digest)


def split_repository_tag(text: str) -> tuple[str, str]:
    """Split the name of an image that is to be created into repository and tag; both are empty without a name.

    Raises:
        InvalidInput: It is not a reference to an image.
    """
    if not text:
        return "", ""
    reference = parse(text)
    return reference.familiar, reference.tag
