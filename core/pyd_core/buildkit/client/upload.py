"""`Upload`: sends one stream of bytes, such as a context that was piped into the command."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.proto import upload_grpc, upload_pb2
from pyd_core.buildkit.rpc.metadata import metadata_value

if TYPE_CHECKING:
    from grpclib.server import Stream

CHUNK_BYTES = 64 * 1024
URL_PREFIX = "http://buildkit-session/"


class UploadSource(Protocol):
    """An open file, or what reads like one."""

    def read(self, size: int, /) -> bytes:
        """Return data; empty at the end."""
        ...


class UploadService(upload_grpc.UploadBase):
    """Serves readers by URL; each can be read once."""

    METHODS = ("/moby.upload.v1.Upload/Pull",)

    def __init__(self) -> None:
        self._readers: dict[str, Callable[[], UploadSource]] = {}

    def add(self, reader: Callable[[], UploadSource]) -> str:
        """Add a reader and return its URL for the build."""
        name = uuid.uuid4().hex
        self._readers[name] = reader
        return f"{URL_PREFIX}{name}"

    async def Pull(self, stream: Stream[Any, Any]) -> None:
        """Send the reader whose path the builder names."""
        name = metadata_value(stream, "urlpath").strip("/")
        open_reader = self._readers.pop(name, None)
        if open_reader is None:
            raise GRPCError(Status.NOT_FOUND, "no such upload")
        reader = open_reader()
        await stream.send_initial_metadata()
        while data := await asyncio.to_thread(reader.read, CHUNK_BYTES):
            await stream.send_message(upload_pb2.BytesMessage(data=data))
