"""Taking a file or a directory out of a container, to this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.files.tarstream import TarStream
from pyd_core.sanitise import safe

Progress = Callable[[int, int], None]
"""Told bytes written, and bytes in all; 0 where nobody knows."""


class Downloaded(msgspec.Struct, frozen=True):
    """What was written: where, and how many bytes."""

    path: Path
    size: int


async def download(engine: EngineClient, container: str, path: str, folder: Path, progress: Progress) -> Downloaded:
    """Writes a regular file as it is, anything else as a tar; nothing that is there is overwritten.

    Args:
        engine: The engine.
        container: The container.
        path: The path inside it; what a link at its end points to isn't followed.
        folder: Where to write.
        progress: Told how far it is.

    Raises:
        PydError: The engine refused, or the file can't be written; nothing is left.
    """
    async with engine.containers.archive_stream(container, path) as stream:
        chunks = stream.chunks()
        begin = _Begin(chunks)
        tar = TarStream(begin.pass_on())
        top = await tar.next()
        begin.keeps = False
        if top is None:
            raise NotFound(f"{safe(path)}: nothing there")
        name = path.rstrip("/").rpartition("/")[2]
        if top.is_file:
            return await save(folder, name or "file", tar.content(), progress, total=top.size)
        return await save(folder, f"{name or 'root'}.tar", _chained(begin.kept, chunks), progress)


async def save(
    folder: Path, name: str, chunks: AsyncIterator[bytes], progress: Progress, *, total: int = 0
) -> Downloaded:
    """Writes a stream to a new file: under another name until it is whole.

    Args:
        folder: Where; it is made when it isn't there.
        name: The name it shall have; a number is added when that is taken.
        chunks: What to write.
        progress: Told how far it is.
        total: Bytes in all; 0 where nobody knows.

    Raises:
        InvalidInput: It can't be written there.
    """
    part = folder / f".{name[:200]}.{os.getpid()}.part"
    size = 0
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    file.write(chunk)
                    size += len(chunk)
                    progress(size, total)
            return Downloaded(_place(part, folder, name), size)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"{safe(str(folder / name))}: {os.strerror(error.errno or 5).lower()}", hint="choose another folder"
        ) from error


def _place(part: Path, folder: Path, name: str) -> Path:
    """Gives the file its name, or the next that is free."""
    stem, dot, ending = name.partition(".")
    for number in range(1000):
        path = folder / (f"{stem}-{number}{dot}{ending}" if number else name)
        try:
            os.link(part, path)
        except FileExistsError:
            continue
        return path
    raise PydError(f"{safe(name)} is there a thousand times already")


class _Begin:
    """Hands chunks on, and keeps those that the first entry's header came in."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.keeps = True
        self.kept: list[bytes] = []

    async def pass_on(self) -> AsyncIterator[bytes]:
        """The chunks."""
        async for chunk in self._chunks:
            if self.keeps:
                self.kept.append(chunk)
            yield chunk


async def _chained(head: list[bytes], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in head:
        yield chunk
    async for chunk in chunks:
        yield chunk
