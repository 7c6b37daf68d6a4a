"""containerd's `Content`: image layouts of this machine, which a builder reads images and caches from, and fills."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.oci_layout import BlobWriter, LayoutDirectory
from pyd_core.buildkit.rpc.metadata import metadata_value
from pyd_core.cri.proto import content_grpc, content_pb2
from pyd_core.errors import InvalidInput

if TYPE_CHECKING:
    from grpclib.server import Stream

STORE_HEADER = "buildkit-attachable-store-id"
SERVICE = "/containerd.services.content.v1.Content"
CHUNK_BYTES = 1 << 20


class ContentService(content_grpc.ContentBase):
    """Serves layouts; each has an id, which the builder names in each call.

    Args:
        layouts: The layouts by id.
    """

    METHODS = tuple(f"{SERVICE}/{name}" for name in ("Info", "Read", "Write", "Status", "Abort", "Update"))

    def __init__(self, layouts: Mapping[str, LayoutDirectory]) -> None:
        self._layouts = layouts

    def _layout(self, stream: Stream[Any, Any]) -> LayoutDirectory:
        layout = self._layouts.get(metadata_value(stream, STORE_HEADER))
        if layout is None:
            raise GRPCError(Status.NOT_FOUND, "no such content store")
        return layout

    def _blob(self, stream: Stream[Any, Any], digest: str) -> tuple[int, int]:
        """Open a blob; return its descriptor and its size."""
        layout = self._layout(stream)
        try:
            fd = layout.open(digest)
        except InvalidInput as error:
            raise GRPCError(Status.INVALID_ARGUMENT, error.message) from error
        if fd is None:
            raise GRPCError(Status.NOT_FOUND, f"content {digest}: not found")
        return fd, os.fstat(fd).st_size

    async def Info(self, stream: Stream[Any, Any]) -> None:
        """Return the size of a blob."""
        digest = (await _received(stream)).digest
        fd, size = self._blob(stream, digest)
        os.close(fd)
        await stream.send_message(content_pb2.InfoResponse(info=content_pb2.Info(digest=digest, size=size)))

    async def Read(self, stream: Stream[Any, Any]) -> None:
        """Send a blob, or a part of it."""
        request = await _received(stream)
        fd, size = self._blob(stream, request.digest)
        with os.fdopen(fd, "rb") as file:
            if not 0 <= request.offset <= size or request.size < 0:
                raise GRPCError(Status.OUT_OF_RANGE, "the blob ends before")
            file.seek(request.offset)
            left = request.size or size - request.offset
            offset = request.offset
            while left > 0 and (data := await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))):
                await stream.send_message(content_pb2.ReadContentResponse(offset=offset, data=data))
                offset += len(data)
                left -= len(data)

    async def Write(self, stream: Stream[Any, Any]) -> None:
        """Take a blob; what is complete already isn't taken again."""
        layout = self._layout(stream)
        if not layout.is_writable:
            raise GRPCError(Status.PERMISSION_DENIED, "the content store is read-only")
        with ExitStack() as stack:
            writer: BlobWriter | None = None
            expected, total = "", 0
            while (request := await stream.recv_message()) is not None:
                expected, total = request.expected or expected, request.total or total
                if expected and _has(layout, expected):
                    raise GRPCError(Status.ALREADY_EXISTS, f"content {expected}: already exists")
                if writer is None:
                    writer = stack.enter_context(await asyncio.to_thread(layout.begin))
                if request.data:
                    if request.offset != writer.size:
                        raise GRPCError(Status.OUT_OF_RANGE, f"the blob has {writer.size} bytes so far")
                    await asyncio.to_thread(writer.write, request.data)
                if request.action == content_pb2.COMMIT:
                    await asyncio.to_thread(_commit, writer, expected, total)
                await stream.send_message(
                    content_pb2.WriteContentResponse(
                        action=request.action, offset=writer.size, total=total, digest=expected
                    )
                )
                if request.action == content_pb2.COMMIT:
                    return

    async def Status(self, stream: Stream[Any, Any]) -> None:
        """Refuse: a write that broke off begins again."""
        request = await _received(stream)
        raise GRPCError(Status.NOT_FOUND, f"ingest {request.ref!r}: not found")

    async def Abort(self, stream: Stream[Any, Any]) -> None:
        """Do nothing: what a write leaves is removed with its call."""
        from google.protobuf.empty_pb2 import Empty  # noqa: PLC0415 - rarely called

        await _received(stream)
        await stream.send_message(Empty())

    async def Update(self, stream: Stream[Any, Any]) -> None:
        """Return what was sent: layouts have no labels."""
        request = await _received(stream)
        await stream.send_message(content_pb2.UpdateResponse(info=request.info))

    async def List(self, stream: Stream[Any, Any]) -> None:
        """Refuse."""
        await _refuse(stream)

    async def Delete(self, stream: Stream[Any, Any]) -> None:
        """Refuse."""
        await _refuse(stream)

    async def ListStatuses(self, stream: Stream[Any, Any]) -> None:
        """Refuse."""
        await _refuse(stream)


async def _refuse(stream: Stream[Any, Any]) -> None:
    await stream.recv_message()
    raise GRPCError(Status.UNIMPLEMENTED, "not served")


async def _received(stream: Stream[Any, Any]) -> Any:
    request = await stream.recv_message()
    if request is None:
        raise GRPCError(Status.INVALID_ARGUMENT, "the request is missing")
    return request


def _has(layout: LayoutDirectory, digest: str) -> bool:
    try:
        fd = layout.open(digest)
    except InvalidInput as error:
        raise GRPCError(Status.INVALID_ARGUMENT, error.message) from error
    if fd is not None:
        os.close(fd)
    return fd is not None


def _commit(writer: BlobWriter, expected: str, total: int) -> None:
    if total and writer.size != total:
        raise GRPCError(Status.FAILED_PRECONDITION, f"the blob has {writer.size} bytes, not {total}")
    try:
        writer.commit(expected)
    except InvalidInput as error:
        raise GRPCError(Status.FAILED_PRECONDITION, error.message) from error
