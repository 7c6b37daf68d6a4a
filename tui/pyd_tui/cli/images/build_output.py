"""Builds: sending the context and showing the output."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from pyd_core.build.context import BuildContext
from pyd_core.client.credentials import Logins
from pyd_core.errors import InvalidInput, ProtocolError, PydError
from pyd_core.humanize import size
from pyd_core.model.progress import Progress
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.archives import CHUNK_BYTES

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.options import BuildOptions

MAX_MEMORY_BYTES = 16 * 2**20
"""Bytes of a context kept in memory; a larger one goes to an unnamed file."""
_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,64})|^(?:sha256:)?([0-9a-f]{64})$")
_BUILDKIT = re.compile(r"--mount|heredoc|buildkit", re.IGNORECASE)
_ARCHIVE_MAGICS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""Magic numbers of compressed archives."""


async def build(engine: EngineClient, options: BuildOptions, *, source: str, file: str | None, quiet: bool) -> str:
    """Build an image and return its id.

    Raises:
        NotFound: The context or the Dockerfile doesn't exist.
        EngineError: A step failed.
    """
    with tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES) as archive:
        if not options.remote:
            name = await asyncio.to_thread(_pack_context, archive, source, file)
            options = msgspec.structs.replace(options, dockerfile=name)
            if not quiet:
                sys.stderr.write(f"Sending build context to the engine: {size(archive.tell())}\n")
        archive.seek(0)
        logins = Logins.of_user().all()
        try:
            context = _chunks(archive) if not options.remote else b""
            async with engine.images.build(context, options, logins=logins) as progress:
                return await _show_progress(progress, None if quiet else sys.stdout)
        except PydError as error:
            if _BUILDKIT.search(error.message):
                error.hint = "this Dockerfile needs BuildKit, but pyd uses the classic builder: use docker buildx"
            raise


def _pack_context(archive: IO[bytes], source: str, file: str | None) -> str:
    """Pack the context and return the Dockerfile's name in it."""
    if source == "-":
        if file == "-":
            raise InvalidInput("context and Dockerfile can't both be read from standard input")
        return _read_stdin(archive, file)
    content = sys.stdin.buffer.read() if file == "-" else None
    context = BuildContext(Path(source), None if file == "-" else file, content)
    context.pack(archive)
    return context.dockerfile


def _read_stdin(archive: IO[bytes], file: str | None) -> str:
    """Read a tar archive or a Dockerfile from standard input; return the Dockerfile's name."""
    if sys.stdin.isatty():
        raise InvalidInput("can't read a tar archive or Dockerfile from a terminal", hint="pyd build - < Dockerfile")
    head = sys.stdin.buffer.peek(512) if isinstance(sys.stdin.buffer, io.BufferedReader) else b""
    if head.startswith(_ARCHIVE_MAGICS) or head[257:262] == b"ustar":
        while chunk := sys.stdin.buffer.read(CHUNK_BYTES):
            archive.write(chunk)
        return file or "Dockerfile"
    content = sys.stdin.buffer.read()
    if not content.strip():
        raise InvalidInput("the Dockerfile on standard input is empty")
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size, member.mode = len(content), 0o644
        tar.addfile(member, io.BytesIO(content))
    return "Dockerfile"


async def _show_progress(progress_stream: AsyncIterator[Progress], out: IO[str] | None) -> str:
    """Show the builder's output and return the id of the image."""
    image_id = ""
    async for progress in progress_stream:
        if progress.aux is not None and progress.aux.id:
            image_id = progress.aux.id
        text = progress.stream or (f"{progress.id}: {progress.status}\n" if progress.status else "")
        if progress.progress_detail.total:
            continue
        if match := _BUILT.search(progress.stream.strip()):
            image_id = image_id or match[1] or match[2]
        if out is not None and text:
            out.write("\n".join(safe(line, colour=True) for line in text.split("\n")))
            out.flush()
    if not image_id:
        raise ProtocolError("the builder ended without an image id")
    return image_id


async def _chunks(source: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk
