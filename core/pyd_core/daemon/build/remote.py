"""Downloads for builds: files that ADD names by URL, and remote contexts."""

from __future__ import annotations

import email.utils
import hashlib
import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from pyd_core.daemon.images.connection_errors import translate_errors
from pyd_core.errors import InvalidInput, Unsupported

SCHEMES = ("http://", "https://")
UNSUPPORTED_PREFIXES = ("ftp://", "git@", "git://", "ssh://", "github.com/")
MAX_FILE_BYTES = 4 << 30
"""Limit for a file; larger ones are refused as soon as possible."""
HTTP_TIMEOUT_S = httpx.Timeout(30.0, read=60.0)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ResolvedAddress:
    """Address of a file."""

    url: str

    @classmethod
    def parse(cls, text: str) -> ResolvedAddress | None:
        """Parse an address; return None for a path.

        Raises:
            Unsupported: Its scheme is not supported.
        """
        if text.startswith(UNSUPPORTED_PREFIXES) or (
            text.startswith(SCHEMES) and text.partition("#")[0].endswith(".git")
        ):
            raise Unsupported(
                f"{text[:100]}: repositories, and what isn't had by HTTP, are not fetched by this engine",
                hint="fetch it, and put it into the context",
                reference="not-served",
            )
        return cls(text) if text.startswith(SCHEMES) else None

    @property
    def name(self) -> str:
        """The name of the file; empty if the address has none."""
        name = posixpath.basename(unquote(urlsplit(self.url).path))
        return "" if name in {".", ".."} or "\0" in name else name

    async def fetch(self, into: Path, *, checksum: str = "", max_bytes: int = MAX_FILE_BYTES) -> None:
        """Download the file, with the time reported by the server.

        Args:
            into: The file to write.
            checksum: The expected digest, `sha256:…`; empty accepts any.
            max_bytes: The limit for its size.

        Raises:
            InvalidInput: It is too large, missing, or doesn't match the checksum.
            EngineError: The server can't be reached, or closed the connection.
        """
        if checksum and not _DIGEST.fullmatch(checksum):
            raise InvalidInput(f"invalid checksum: {checksum[:80]!r} is no sha256:…")
        hasher = hashlib.sha256()
        with translate_errors(self.url[:200]):
            async with (
                httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, follow_redirects=True) as client,
                client.stream("GET", self.url, headers={"Accept-Encoding": "identity"}) as response,
            ):
                if response.status_code != 200:
                    raise InvalidInput(f"{self.url[:200]}: the server answers {response.status_code}")
                size = response.headers.get("content-length", "")
                if size.isdecimal() and int(size[:20]) > max_bytes:
                    raise self._too_large(max_bytes)
                with into.open("wb") as out:
                    async for chunk in response.aiter_bytes():
                        hasher.update(chunk)
                        if out.tell() + len(chunk) > max_bytes:
                            raise self._too_large(max_bytes)
                        out.write(chunk)
                _set_time(into, response.headers.get("last-modified", ""))
        actual = f"sha256:{hasher.hexdigest()}"
        if checksum and actual != checksum:
            raise InvalidInput(f"digest mismatch: {self.url[:200]} is {actual}, not {checksum}")

    def _too_large(self, max_bytes: int) -> InvalidInput:
        return InvalidInput(f"{self.url[:200]} is larger than the {max_bytes} bytes that are fetched")


def _set_time(file: Path, last_modified: str) -> None:
    try:
        when = email.utils.parsedate_to_datetime(last_modified).timestamp()
        os.utime(file, (when, when))
    except (ValueError, OverflowError, OSError):
        os.utime(file, (0, 0))
