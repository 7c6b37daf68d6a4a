"""`FileSend`: takes results that the builder sends back, as a file or as a directory."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import grpclib.const
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.receive import DirectoryReceiver
from pyd_core.buildkit.client.request import BuildOutput
from pyd_core.buildkit.proto import filesync_pb2
from pyd_core.buildkit.rpc.framing import RawMessage
from pyd_core.buildkit.rpc.metadata import metadata_value
from pyd_core.errors import PydError

if TYPE_CHECKING:
    from grpclib.server import Stream

DIRECTORY_TYPES = frozenset({"local"})
"""Exporters that send a tree of files; the others send one file."""
EXPORTER_ID = "buildkit-attachable-exporter-id"
"""The metadata with the exporter's number, in builds with several."""


class FileSendService:
    """Writes what the exporters send.

    Args:
        outputs: The build's outputs, in the order of its request.
    """

    METHODS = ("/moby.filesync.v1.FileSend/DiffCopy",)

    def __init__(self, outputs: Sequence[BuildOutput]) -> None:
        self._outputs = outputs

    def __mapping__(self) -> dict[str, grpclib.const.Handler]:
        """Return the methods by path."""
        handler = grpclib.const.Handler(
            self._diff_copy, grpclib.const.Cardinality.STREAM_STREAM, RawMessage, RawMessage
        )
        return dict.fromkeys(self.METHODS, handler)

    async def _diff_copy(self, stream: Stream[Any, Any]) -> None:
        output = self._choose(stream)
        try:
            if output.type in DIRECTORY_TYPES:
                await _receive_directory(stream, Path(output.destination or "."))
            else:
                await _receive_file(stream, output.destination or "-")
        except PydError as error:
            raise GRPCError(Status.ABORTED, error.message) from error
        except OSError as error:
            raise GRPCError(Status.ABORTED, f"can't write {output.destination}: {error.strerror}") from error

    def _choose(self, stream: Stream[Any, Any]) -> BuildOutput:
        number = metadata_value(stream, EXPORTER_ID)
        if number.isascii() and number.isdecimal() and int(number) < len(self._outputs):
            return self._outputs[int(number)]
        candidates = [output for output in self._outputs if output.destination is not None]
        if len(candidates) != 1:
            raise GRPCError(Status.FAILED_PRECONDITION, "the build sends nothing back, or several things at once")
        return candidates[0]


async def _receive_directory(stream: Stream[Any, Any], path: Path) -> None:
    root = await asyncio.to_thread(_open_directory, path)
    try:
        await DirectoryReceiver(stream, root).run()
    finally:
        os.close(root)


def _open_directory(path: Path) -> int:
    path.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


async def _receive_file(stream: Stream[Any, Any], destination: str) -> None:
    """Write a file, by another name until it is complete."""
    if destination == "-":
        await _copy(stream, sys.stdout.buffer)
        return
    path = Path(destination)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("xb") as file:
            await _copy(stream, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


async def _copy(stream: Stream[Any, Any], file: IO[bytes]) -> None:
    await stream.send_initial_metadata()
    while (message := await stream.recv_message()) is not None:
        data = filesync_pb2.BytesMessage.FromString(message.data).data
        await asyncio.to_thread(file.write, data)
    file.flush()
