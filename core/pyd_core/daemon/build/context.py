"""Unpacked build contexts, in directories that are removed after the build."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pyd_core.daemon.images import load as loading
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.images.streams import HashingReader, decompress
from pyd_core.dockerfile.ignore import IGNORE_FILE, IgnorePatterns, read_patterns
from pyd_core.errors import InvalidInput, KernelError, PydError
from pyd_core.linux.openat2 import RootDirectory, open_file
from pyd_core.linux.tree import remove_tree
from pyd_core.tar.reader import TarReader
from pyd_core.tar.unpack import Unpacker
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.daemon.build.remote import ResolvedAddress
    from pyd_core.daemon.build.repository import Repository

DOCKERFILE = "Dockerfile"
_MAX_FILE_BYTES = 1 << 20
"""Limit for a Dockerfile, and for an ignore file."""


class BuildContexts:
    """The contexts of the builds that run.

    Args:
        directory: Where they are unpacked; what a crash left there is removed.
        images: Keeps what is downloaded until it is unpacked.
        tasks: Runs the removal, which happens also when a client has gone.
    """

    def __init__(self, directory: Path, images: ImageStore, tasks: TaskOwner) -> None:
        self._directory = directory
        self._images = images
        self._tasks = tasks
        remove_tree(directory, ignore_errors=True)

    @asynccontextmanager
    async def unpacked(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Path]:
        """Unpack a context and yield its directory; it is removed afterwards.

        Raises:
            InvalidInput: It is not an archive, or a hostile one.
        """
        async with self._home() as directory:
            spooled = await loading.spool(self._images, chunks)
            try:
                await asyncio.to_thread(_unpack, spooled, directory)
            finally:
                spooled.unlink(missing_ok=True)
            yield directory

    @asynccontextmanager
    async def fetched(self, address: ResolvedAddress) -> AsyncIterator[tuple[Path, bool]]:
        """Fetch a remote context, an archive or a Dockerfile, and yield its directory; it is removed afterwards.

        Returns:
            The directory, and whether it only contains a `Dockerfile`.

        Raises:
            InvalidInput: It is missing, or neither of the two.
        """
        async with self._home() as directory:
            spooled = self._images.blobs.create_temporary()
            try:
                await address.fetch(spooled)
                yield directory, await asyncio.to_thread(_store, spooled, directory)
            finally:
                spooled.unlink(missing_ok=True)

    @asynccontextmanager
    async def cloned(self, repository: Repository) -> AsyncIterator[Path]:
        """Clone a context's repository and yield its directory; it is removed afterwards.

        Raises:
            InvalidInput: git can't fetch it.
            Unsupported: git isn't installed.
        """
        async with self._home() as directory:
            yield await repository.clone(directory)

    @asynccontextmanager
    async def _home(self) -> AsyncIterator[Path]:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=self._directory))
        try:
            yield directory
        finally:
            # A task of the engine: the client may disconnect, and this be cancelled, at any moment.
            await asyncio.shield(self._tasks.start(asyncio.to_thread(remove_tree, directory, ignore_errors=True)))


def is_archive(raw: BinaryIO) -> bool:
    """Return whether a file is a tar, compressed or not; it is rewound afterwards."""
    try:
        return next(iter(TarReader(HashingReader(decompress(raw)))), None) is not None
    except (PydError, OSError, EOFError):
        return False
    finally:
        raw.seek(0)


def _store(spooled: Path, directory: Path) -> bool:
    with spooled.open("rb") as raw:
        if is_archive(raw):
            _unpack(spooled, directory)
            return False
        text = raw.read(_MAX_FILE_BYTES + 1)
    if len(text) > _MAX_FILE_BYTES or b"\0" in text:
        raise InvalidInput("what is at the context's address is neither an archive nor a Dockerfile")
    (directory / DOCKERFILE).write_bytes(text)
    return True


def _unpack(spooled: Path, directory: Path) -> None:
    with spooled.open("rb") as raw:
        Unpacker(directory, layer=False).run(decompress(raw))


def read_dockerfile(context: Path, name: str) -> bytes:
    """Return the Dockerfile; if `.dockerignore` excludes it, it is removed so that steps don't see it.

    Raises:
        InvalidInput: It is missing.
    """
    with RootDirectory(context) as root:
        content = _read(root, name)
        if content is None and name == DOCKERFILE:
            name = DOCKERFILE.lower()  # Docker Engine's second default
            content = _read(root, name)
        if content is None:
            raise InvalidInput(f"Cannot locate specified Dockerfile: {name[:200]}")
        patterns = _read(root, IGNORE_FILE)
        if patterns is not None:
            ignore = IgnorePatterns(read_patterns(patterns))
            for file_name in (os.path.normpath(name), IGNORE_FILE):
                if ignore.excludes(file_name):
                    _remove(root, file_name)
        return content


def _read(root: RootDirectory, name: str) -> bytes | None:
    try:
        fd = open_file(root.fd, name)
    except KernelError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(_MAX_FILE_BYTES + 1)


def _remove(root: RootDirectory, name: str) -> None:
    directory, _, base = name.rpartition("/")
    parent = root.open(directory or "/", os.O_PATH | os.O_DIRECTORY)
    try:
        os.unlink(base, dir_fd=parent)
    finally:
        os.close(parent)
