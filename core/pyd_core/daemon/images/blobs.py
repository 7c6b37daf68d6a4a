"""Content-addressed files: configurations, manifests and packed layers, named by their digests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.linux.fsync import sync

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def hex_digest(digest: str) -> str:
    """Return the hexadecimal part of a digest. Digests from archives and registries may be paths that lead out.

    Raises:
        InvalidInput: It is not a SHA-256 digest.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidInput(f"not a digest: {digest[:80]!r}", reference="bad-digest")
    return match[1]


class BlobStore:
    """Directory of blobs, `sha256/<hex>`; each is written to a temporary file, synced, and renamed into place."""

    def __init__(self, root: Path) -> None:
        self._root = root / "sha256"
        self.spool = root / "spool"
        self._root.mkdir(parents=True, exist_ok=True)
        self.spool.mkdir(exist_ok=True)
        for leftover in self.spool.iterdir():  # partial writes from before a crash
            leftover.unlink()

    def path(self, digest: str) -> Path:
        """Return the path of a blob."""
        return self._root / hex_digest(digest)

    def has(self, digest: str) -> bool:
        """Return whether the blob exists."""
        return self.path(digest).exists()

    def read(self, digest: str) -> bytes:
        """Return a (small) blob.

        Raises:
            NotFound: The blob is missing.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"blob {digest} is missing from the image store") from None

    def is_intact(self, digest: str) -> bool:
        """Return whether a (small) blob exists and has its digest."""
        try:
            return f"sha256:{hashlib.sha256(self.read(digest)).hexdigest()}" == digest
        except NotFound:
            return False

    def create_temporary(self) -> Path:
        """Create an empty temporary file for a new blob."""
        fd, name = tempfile.mkstemp(dir=self.spool)
        os.close(fd)
        return Path(name)

    def put(self, body: bytes, *, durable: bool = True) -> str:
        """Store bytes and return their digest; they are on the disk then, unless the caller syncs them later."""
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if not self.has(digest):
            file = self.create_temporary()
            file.write_bytes(body)
            self.adopt(file, digest, durable=durable)
        return digest

    def adopt(self, file: Path, digest: str, *, durable: bool = True) -> None:
        """Move a finished temporary file into place, durably unless the caller syncs it later.

        The caller has verified its digest.
        """
        if durable:
            sync(file)
        file.rename(self.path(digest))
        if durable:
            sync(self._root)

    def verify(self, file: Path, expected: str, actual: str) -> None:
        """Refuse and remove a file whose digest isn't the expected one.

        Raises:
            InvalidInput: The digests differ.
        """
        if actual != expected:
            file.unlink(missing_ok=True)
            raise InvalidInput(f"digest mismatch: expected {expected}, got {actual}", reference="digest-mismatch")

    def set_aside(self, digest: str) -> Path:
        """Move a blob out of its place, if it exists, and return the file that remains to be removed."""
        removed = self.spool / f"gone-{os.urandom(8).hex()}"
        with contextlib.suppress(FileNotFoundError):
            self.path(digest).rename(removed)
        return removed

    def remove_all_but(self, used: set[str]) -> None:
        """Remove every blob that isn't in use."""
        names = {hex_digest(digest) for digest in used}
        for file in self._root.iterdir():
            if file.name not in names:
                file.unlink()

    def size(self, digest: str) -> int:
        """Return the size of a blob in bytes; 0 if it is missing."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return 0
