"""What a build fetches by HTTP: files that ADD names by their address, and contexts that are elsewhere."""

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
OTHERS = ("ftp://", "git@", "git://", "ssh://", "github.com/")
MOST = 4 << 30
"""Bytes of one file; what is larger is refused as soon as that is known."""
TIMEOUT = httpx.Timeout(30.0, read=60.0)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ResolvedAddress:
    """Where a file is."""

    url: str

    @classmethod
    def parse(cls, text: str) -> ResolvedAddress | None:
        """Reads an address; None where it is a path.

        Raises:
            Unsupported: It is one of a kind that isn't fetched.
        """
        if text.startswith(OTHERS) or (text.startswith(SCHEMES) and text.partition("#")[0].endswith(".git")):
            raise Unsupported(
                f"{text[:100]}: repositories, and what isn't had by HTTP, are not fetched by this engine",
                hint="fetch it, and put it into the context",
                reference="not-served",
            )
        return cls(text) if text.startswith(SCHEMES) else None

    @property
    def name(self) -> str:
        """The name of the file there; empty where the address has none."""
        name = posixpath.basename(unquote(urlsplit(self.url).path))
        return "" if name in {".", ".."} or "\0" in name else name

    async def fetch(self, into: Path, *, checksum: str = "", most: int = MOST) -> None:
        """Downloads it, with the time the server says it is from.

        Args:
            into: The file to write.
            checksum: The digest it must have, `sha256:…`; empty takes any.
            most: Bytes it may have.

        Raises:
            InvalidInput: It is too large, isn't there, or isn't what the checksum promises.
            EngineError: The server can't be reached, or broke off.
        """
        if checksum and not _DIGEST.fullmatch(checksum):
            raise InvalidInput(f"invalid checksum: {checksum[:80]!r} is no sha256:…")
        running = hashlib.sha256()
        with translate_errors(self.url[:200]):
            async with (
                httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=True) as client,
                client.stream("GET", self.url, headers={"Accept-Encoding": "identity"}) as answer,
            ):
                if answer.status_code != 200:
                    raise InvalidInput(f"{self.url[:200]}: the server answers {answer.status_code}")
                size = answer.headers.get("content-length", "")
                if size.isdecimal() and int(size[:20]) > most:
                    raise self._too_large(most)
                with into.open("wb") as out:
                    async for chunk in answer.aiter_bytes():
                        running.update(chunk)
                        if out.tell() + len(chunk) > most:
                            raise self._too_large(most)
                        out.write(chunk)
                _date(into, answer.headers.get("last-modified", ""))
        found = f"sha256:{running.hexdigest()}"
        if checksum and found != checksum:
            raise InvalidInput(f"digest mismatch: {self.url[:200]} is {found}, not {checksum}")

    def _too_large(self, most: int) -> InvalidInput:
        return InvalidInput(f"{self.url[:200]} is larger than the {most} bytes that are fetched")


def _date(file: Path, told: str) -> None:
    try:
        when = email.utils.parsedate_to_datetime(told).timestamp()
        os.utime(file, (when, when))
    except (ValueError, OverflowError, OSError):
        os.utime(file, (0, 0))
