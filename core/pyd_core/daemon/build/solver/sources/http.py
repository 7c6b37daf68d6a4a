"""Files from web servers as sources (`https://…`), for ADD."""

from __future__ import annotations

import email.utils
import hashlib
import os
import posixpath
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.images.connection_errors import translate_errors
from pyd_core.errors import InvalidInput

SCHEMES = ("http://", "https://")
UPLOAD_PREFIX = "http://buildkit-session/"
"""The address of what a client serves in its session, such as a context from standard input."""
MAX_FILE_BYTES = 4 << 30
HTTP_TIMEOUT_S = httpx.Timeout(30.0, read=60.0)
DEFAULT_NAME = "download"
DEFAULT_MODE = 0o600
"""Mode of downloaded files, as in BuildKit."""
MAX_ID = (1 << 31) - 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class HttpSource:
    """A file of a web server.

    Attributes:
        checksum: The expected digest; empty accepts any.
    """

    url: str
    name: str = DEFAULT_NAME
    checksum: str = ""
    mode: int = DEFAULT_MODE
    uid: int = 0
    gid: int = 0

    @classmethod
    def parse(cls, identifier: str, attrs: dict[str, str]) -> HttpSource:
        """Parse a source.

        Raises:
            InvalidInput: An attribute is malformed.
        """
        checksum = attrs.get("http.checksum", "")
        if checksum and not _DIGEST.fullmatch(checksum):
            raise InvalidInput(f"invalid checksum: {checksum[:80]!r} is no sha256:…")
        name = attrs.get("http.filename") or posixpath.basename(unquote(urlsplit(identifier).path)) or DEFAULT_NAME
        if "/" in name or "\0" in name or name in {".", ".."}:
            raise InvalidInput(f"invalid name of a download: {name[:80]!r}")
        return cls(
            url=identifier,
            name=name,
            checksum=checksum,
            mode=_number(attrs, "http.perm", DEFAULT_MODE, base=0) & 0o7777,
            uid=_number(attrs, "http.uid", 0),
            gid=_number(attrs, "http.gid", 0),
        )

    def upload_identity(self, session: BuildSession | None) -> str:
        """Return what names an upload of a session; empty for other files."""
        if session is None or not self.url.startswith(UPLOAD_PREFIX):
            return ""
        return f"upload:{session.id}:{self.url}:{self.name}:{self.mode}:{self.uid}:{self.gid}"

    async def fetch(self, directory: Path, session: BuildSession | None) -> str:
        """Download the file into a directory and return the digest of its content.

        Args:
            directory: Where.
            session: The client's session, from which uploads come.

        Raises:
            InvalidInput: It is too large, missing, or doesn't match the checksum.
            EngineError: The server can't be reached, or closed the connection.
        """
        hasher = hashlib.sha256()
        fd = os.open(directory / self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as out, translate_errors(self.url[:200]):
            async with self._opened(session) as (chunks, headers):
                async for chunk in chunks:
                    hasher.update(chunk)
                    out.write(chunk)
                    if out.tell() > MAX_FILE_BYTES:
                        raise self._too_large()
                modified = headers.get("last-modified", "")
            out.flush()
            os.fchown(out.fileno(), self.uid, self.gid)
            os.fchmod(out.fileno(), self.mode)
            time_s = _time(modified)
            os.utime(out.fileno(), (time_s, time_s))
        digest = f"sha256:{hasher.hexdigest()}"
        if self.checksum and digest != self.checksum:
            raise InvalidInput(f"digest mismatch: {self.url[:200]} is {digest}, not {self.checksum}")
        return f"{digest} {self.name} {self.mode} {self.uid} {self.gid} {time_s}"

    def _too_large(self) -> InvalidInput:
        return InvalidInput(f"{self.url[:200]} is larger than the {MAX_FILE_BYTES} bytes that are fetched")

    @asynccontextmanager
    async def _opened(
        self, session: BuildSession | None
    ) -> AsyncIterator[tuple[AsyncIterator[bytes], Mapping[str, str]]]:
        """Yield the content and the headers of the file."""
        if self.url.startswith(UPLOAD_PREFIX):
            if session is None:
                raise InvalidInput("an upload needs the session of its client")
            async with session.upload(self.url.removeprefix(UPLOAD_PREFIX)) as chunks:
                yield chunks, {}
            return
        async with (
            httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, follow_redirects=True) as client,
            client.stream("GET", self.url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if response.status_code != 200:
                raise InvalidInput(f"invalid response status {response.status_code} of {self.url[:200]}")
            size = response.headers.get("content-length", "")
            if size.isdecimal() and int(size[:20]) > MAX_FILE_BYTES:
                raise self._too_large()
            yield response.aiter_bytes(), response.headers


def _time(last_modified: str) -> float:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(last_modified).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def _number(attrs: dict[str, str], key: str, default: int, *, base: int = 10) -> int:
    text = attrs.get(key, "")
    if not text:
        return default
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if not 0 <= number <= MAX_ID:
        raise InvalidInput(f"{key} is no number in range: {text[:40]!r}")
    return number
