"""Archives between an engine and files or standard streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe

CHUNK_BYTES = 2**18


async def write_archive(chunks: AsyncIterator[bytes], file: str | None) -> None:
    """Write an archive to a file, atomically, or to standard output.

    Raises:
        InvalidInput: Standard output is a terminal, or the file can't be written.
    """
    if file is None:
        if sys.stdout.isatty():
            raise InvalidInput("can't write an archive to a terminal", hint="use -o FILE, or redirect the output")
        async for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    target = Path(file)
    scratch = target.with_name(f".{target.name}.pyd")
    try:
        with scratch.open("wb") as out:
            async for chunk in chunks:
                out.write(chunk)
        scratch.replace(target)
    except OSError as error:
        raise InvalidInput(f"can't write {safe(file)}: {error.strerror}") from error
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def open_archive(file: str | None, *, empty: bool = False) -> Iterator[bytes | AsyncIterator[bytes]]:
    """Yield the content of a file or of standard input in chunks.

    Args:
        file: The file; None or `-` is standard input.
        empty: Yield no content.

    Raises:
        NotFound: The file doesn't exist.
        InvalidInput: Standard input is a terminal, or the file can't be read.
    """
    if empty:
        yield b""
    elif file is None or file == "-":
        if sys.stdin.isatty():
            raise InvalidInput(
                "can't read an archive from a terminal", hint="name a file, or redirect one to standard input"
            )
        yield read_chunks(sys.stdin.buffer)
    else:
        try:
            source = Path(file).open("rb")  # noqa: SIM115 - closed below; only opening may fail here
        except FileNotFoundError as error:
            raise NotFound(f"no such file: {safe(file)}", reference="no-such-file") from error
        except OSError as error:
            raise InvalidInput(f"can't read {safe(file)}: {error.strerror}") from error
        with source:
            yield read_chunks(source)


async def read_chunks(source: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield the content of a file, read on a thread."""
    while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
        yield chunk
