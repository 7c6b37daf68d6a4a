"""Image layouts on this machine (opencontainers/image-spec, `image-layout.md`): results, base images and caches."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from pyd_core.errors import InvalidInput, KernelError, NotFound
from pyd_core.linux.openat2 import RootDirectory, open_file
from pyd_core.sanitise import safe

NAME_ANNOTATION = "org.opencontainers.image.ref.name"
IMAGE_ANNOTATION = "io.containerd.image.name"
DEFAULT_TAG = "latest"
MAX_INDEX_BYTES = 4 << 20
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
BLOBS = "blobs/sha256"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class LayoutDirectory:
    """A directory with an image layout, which may be new.

    Args:
        path: The directory.
        is_writable: Whether builders may add blobs.
    """

    def __init__(self, path: Path, *, is_writable: bool = False) -> None:
        self.path = path
        self.is_writable = is_writable

    def open(self, digest: str) -> int | None:
        """Open a blob, whose links lead nowhere outside of the layout; None if there is none.

        Raises:
            InvalidInput: It isn't a digest.
        """
        name = hex_digest(digest)
        try:
            with RootDirectory(self.path) as root:
                return open_file(root.fd, f"{BLOBS}/{name}")
        except (KernelError, OSError):
            return None

    def begin(self) -> BlobWriter:
        """Begin a blob."""
        return BlobWriter(self)

    def find(self, tag: str = "") -> str:
        """Return the digest of an image by its tag, by default the only image or `latest`.

        Raises:
            NotFound: There is no such image.
            InvalidInput: This isn't a layout.
        """
        entries = self._entries()
        digests = {
            str(entry.get("digest", ""))
            for entry in entries
            if _annotations(entry).get(NAME_ANNOTATION) == (tag or DEFAULT_TAG)
        }
        if not digests and not tag and len(entries) == 1:
            digests = {str(entries[0].get("digest", ""))}
        if len(digests) != 1:
            tags = sorted({name for entry in entries if (name := _annotations(entry).get(NAME_ANNOTATION, ""))})
            raise NotFound(
                f"{safe(str(self.path))} has no image {safe(tag or DEFAULT_TAG)!r}",
                hint=f"it has {safe(', '.join(tags[:10]))}" if tags else "name it by its digest, DIRECTORY@sha256:…",
            )
        [digest] = digests
        return f"sha256:{hex_digest(digest)}"

    def put(self, descriptor: Mapping[str, Any], names: Sequence[str] = (), *, tag: str = DEFAULT_TAG) -> None:
        """Write an image into the index, in place of images of the same tags; without names it has the one tag."""
        marks = [
            {NAME_ANNOTATION: name.rpartition("/")[2].partition(":")[2] or DEFAULT_TAG, IMAGE_ANNOTATION: name}
            for name in names
        ] or [{NAME_ANNOTATION: tag}]
        new = [{**descriptor, "annotations": {**_annotations(descriptor), **mark}} for mark in marks]
        taken = {mark[NAME_ANNOTATION] for mark in marks}
        entries = self._entries() if (self.path / "index.json").exists() else []
        kept = [entry for entry in entries if _annotations(entry).get(NAME_ANNOTATION) not in taken]
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": kept + new}
        self._replace("index.json", msgspec.json.encode(body))
        self._replace("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def _replace(self, name: str, content: bytes) -> None:
        partial = self.path / f".{name}.{secrets.token_hex(8)}.partial"
        try:
            with partial.open("xb") as file:
                file.write(content)
            partial.replace(self.path / name)
        finally:
            partial.unlink(missing_ok=True)

    def _entries(self) -> list[dict[str, Any]]:
        try:
            with RootDirectory(self.path) as root, os.fdopen(open_file(root.fd, "index.json"), "rb") as file:
                body = file.read(MAX_INDEX_BYTES + 1)
        except (KernelError, OSError) as error:
            reason = os.strerror(error.errno or 0).lower()
            raise NotFound(
                f"{safe(str(self.path))} is no OCI layout: index.json: {reason}", reference="no-such-layout"
            ) from error
        try:
            document = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInput(f"{safe(str(self.path))}: index.json: {error}") from error
        entries = document.get("manifests")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InvalidInput(f"{safe(str(self.path))}: index.json lists no manifests")
        return entries


class BlobWriter:
    """A blob that is being written; a context manager that removes what isn't committed."""

    def __init__(self, layout: LayoutDirectory) -> None:
        layout.path.mkdir(parents=True, exist_ok=True)
        with RootDirectory(layout.path) as root:
            self._directory = root.make_directories(BLOBS)
        self._partial = f".{secrets.token_hex(8)}.partial"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file: IO[bytes] = os.fdopen(os.open(self._partial, flags, 0o644, dir_fd=self._directory), "wb")
        except BaseException:
            os.close(self._directory)
            raise
        self._hasher = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._partial, dir_fd=self._directory)
        os.close(self._directory)

    def write(self, data: bytes) -> None:
        """Append data."""
        self._file.write(data)
        self._hasher.update(data)
        self.size += len(data)

    def commit(self, digest: str) -> None:
        """Give the blob its name.

        Raises:
            InvalidInput: The content has another digest.
        """
        name = hex_digest(digest)
        if f"sha256:{self._hasher.hexdigest()}" != digest:
            raise InvalidInput(f"digest mismatch: the builder sent other content for {safe(digest[:80])}")
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._partial, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)


def hex_digest(digest: str) -> str:
    """Return the digits of a digest.

    Raises:
        InvalidInput: It isn't a digest.
    """
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidInput(f"{safe(digest[:80])!r} is no digest", reference="bad-digest")
    return match[1]


def _annotations(entry: Mapping[str, Any]) -> dict[str, str]:
    annotations = entry.get("annotations")
    return annotations if isinstance(annotations, dict) else {}
