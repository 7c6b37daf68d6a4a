"""Downloads of files and directories from a container to this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from pyd_core.client.provider import Provider
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.sanitise import safe
from pyd_core.tar.async_reader import AsyncTarReader

Progress = Callable[[int, int], None]
"""Called with the bytes written and the total; 0 if unknown."""


class Downloaded(msgspec.Struct, frozen=True):
    """Result of a download: the path, and the number of bytes."""

    path: Path
    size: int


async def download(engine: Provider, container: str, path: str, directory: Path, progress: Progress) -> Downloaded:
    """Write a regular file as it is, anything else as a tar; nothing is overwritten.

    Args:
        engine: The engine.
        container: The container.
        path: The path inside the container; a link at its end isn't followed.
        directory: The directory to write to.
        progress: Called as bytes are written.

    Raises:
        PydError: The engine refused, or the file can't be written; nothing is left behind.
    """
    async with engine.containers.archive_stream(container, path) as stream:
        chunks = stream.chunks()
        recorder = _HeadRecorder(chunks)
        tar = AsyncTarReader(recorder.pass_on())
        top = await tar.next()
        recorder.is_recording = False
        if top is None:
            raise NotFound(f"{safe(path)}: nothing there")
        name = path.rstrip("/").rpartition("/")[2]
        if top.is_file:
            return await save(directory, name or "file", tar.content(), progress, total=top.size)
        return await save(directory, f"{name or 'root'}.tar", _chain(recorder.head, chunks), progress)


async def save(
    directory: Path, name: str, chunks: AsyncIterator[bytes], progress: Progress, *, total: int = 0
) -> Downloaded:
    """Write a stream to a new file, under a temporary name until it is complete.

    Args:
        directory: The directory; it is created if missing.
        name: The desired name; a number is added if it is taken.
        chunks: The content.
        progress: Called as bytes are written.
        total: Bytes in total; 0 if unknown.

    Raises:
        InvalidInput: The file can't be written there.
    """
    part = directory / f".{name[:200]}.{os.getpid()}.part"
    size = 0
    try:
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    file.write(chunk)
                    size += len(chunk)
                    progress(size, total)
            return Downloaded(_link_free_name(part, directory, name), size)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"{safe(str(directory / name))}: {os.strerror(error.errno or 5).lower()}", hint="choose another directory"
        ) from error


def _link_free_name(part: Path, directory: Path, name: str) -> Path:
    """Give the file its name, or the next free one."""
    stem, dot, ending = name.partition(".")
    for number in range(1000):
        path = directory / (f"{stem}-{number}{dot}{ending}" if number else name)
        try:
            os.link(part, path)
        except FileExistsError:
            continue
        return path
    raise PydError(f"{safe(name)} is there a thousand times already")


class _HeadRecorder:
    """Pass chunks on, and keep those that contain the first entry's header."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.is_recording = True
        self.head: list[bytes] = []

    async def pass_on(self) -> AsyncIterator[bytes]:
        """Yield the chunks."""
        async for chunk in self._chunks:
            if self.is_recording:
                self.head.append(chunk)
            yield chunk


async def _chain(head: list[bytes], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in head:
        yield chunk
    async for chunk in chunks:
        yield chunk
