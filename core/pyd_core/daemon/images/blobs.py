"""Content-addressed files: configurations, manifests and packed layers, under the digest of what they hold."""

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


def digits(digest: str) -> str:
    """The hexadecimal part of a digest; what archives and registries call one may be a path that leads out.

    Raises:
        InvalidInput: It is no SHA-256 digest.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidInput(f"not a digest: {digest[:80]!r}", reference="bad-digest")
    return match[1]


class Blobs:
    """A directory of blobs, `sha256/<hex>`; each is written beside its place, synced, and renamed into it."""

    def __init__(self, root: Path) -> None:
        self._root = root / "sha256"
        self.spool = root / "spool"
        self._root.mkdir(parents=True, exist_ok=True)
        self.spool.mkdir(exist_ok=True)
        for left in self.spool.iterdir():  # what a crash left half written
            left.unlink()

    def path(self, digest: str) -> Path:
        """Where a blob lies."""
        return self._root / digits(digest)

    def has(self, digest: str) -> bool:
        """Whether it is there."""
        return self.path(digest).exists()

    def read(self, digest: str) -> bytes:
        """Returns a (small) blob.

        Raises:
            NotFound: It isn't here.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"blob {digest} is missing from the image store") from None

    def temporary(self) -> Path:
        """Makes an empty file to write a coming blob to."""
        fd, name = tempfile.mkstemp(dir=self.spool)
        os.close(fd)
        return Path(name)

    def put(self, body: bytes) -> str:
        """Stores bytes and returns their digest."""
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if not self.has(digest):
            file = self.temporary()
            file.write_bytes(body)
            self.adopt(file, digest)
        return digest

    def adopt(self, file: Path, digest: str, *, durable: bool = True) -> None:
        """Moves a finished temporary file into place, for good unless the caller syncs it with more.

        The caller has checked its digest.
        """
        if durable:
            sync(file)
        file.rename(self.path(digest))
        if durable:
            sync(self._root)

    def check(self, file: Path, wanted: str, found: str) -> None:
        """Refuses a file whose digest is not the one promised, and removes it.

        Raises:
            InvalidInput: They differ.
        """
        if found != wanted:
            file.unlink(missing_ok=True)
            raise InvalidInput(f"digest mismatch: expected {wanted}, got {found}", reference="digest-mismatch")

    def set_aside(self, digest: str) -> Path:
        """Takes one out of its place, if there, and returns the file that is left to be removed."""
        going = self.spool / f"gone-{os.urandom(8).hex()}"
        with contextlib.suppress(FileNotFoundError):
            self.path(digest).rename(going)
        return going

    def remove_all_but(self, used: set[str]) -> None:
        """Removes every blob that isn't among those used."""
        names = {digits(digest) for digest in used}
        for file in self._root.iterdir():
            if file.name not in names:
                file.unlink()

    def size(self, digest: str) -> int:
        """Bytes it takes; 0 when it isn't there."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return 0
