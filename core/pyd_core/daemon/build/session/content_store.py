"""A client's content store: blobs by digest, for local caches and OCI layouts (containerd's content service)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls
from pyd_core.errors import InvalidInput, ProtocolError

if TYPE_CHECKING:
    from pathlib import Path

STORE_HEADER = "buildkit-attachable-store-id"
READ = "/containerd.services.content.v1.Content/Read"
WRITE_BYTES = 1 << 20
MAX_DOCUMENT_BYTES = 16 << 20


class ContentStore:
    """A store of a client."""

    def __init__(self, channel: AdoptedChannel, store_id: str) -> None:
        self._channel = channel
        self._metadata = [(STORE_HEADER, store_id)]

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a blob; the caller verifies its digest."""
        from pyd_core.cri.proto.content_grpc import ContentStub  # noqa: PLC0415 - only for stores of clients
        from pyd_core.cri.proto.content_pb2 import ReadContentRequest  # noqa: PLC0415

        with calls():
            async with ContentStub(self._channel).Read.open(metadata=self._metadata) as stream:
                await stream.send_message(ReadContentRequest(digest=digest), end=True)
                while (message := await stream.recv_message()) is not None:
                    yield message.data

    async def document(self, digest: str, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
        """Return a small blob, verified.

        Raises:
            InvalidInput: It is too long, or has another digest.
        """
        body = bytearray()
        async for part in self.read(digest):
            body += part
            if len(body) > max_bytes:
                raise InvalidInput(f"the document {digest[:80]} is longer than {max_bytes} bytes")
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise InvalidInput(f"digest mismatch: the client sent other content for {digest[:80]}")
        return bytes(body)

    async def write(self, digest: str, total: int, source: Path | bytes) -> None:
        """Write a blob, unless the client has it.

        Raises:
            ProtocolError: The client doesn't confirm it.
        """
        from grpclib.const import Status  # noqa: PLC0415 - loads gRPC
        from grpclib.exceptions import GRPCError  # noqa: PLC0415

        from pyd_core.cri.proto import content_pb2  # noqa: PLC0415
        from pyd_core.cri.proto.content_grpc import ContentStub  # noqa: PLC0415

        with calls():
            try:
                async with ContentStub(self._channel).Write.open(metadata=self._metadata) as stream:
                    start = content_pb2.WriteContentRequest(
                        action=content_pb2.STAT, ref=digest, total=total, expected=digest
                    )
                    await stream.send_message(start)
                    await stream.recv_message()
                    offset = 0
                    for data in _pieces(source):
                        request = content_pb2.WriteContentRequest(
                            action=content_pb2.WRITE, ref=digest, total=total, expected=digest, offset=offset, data=data
                        )
                        await stream.send_message(request)
                        if await stream.recv_message() is None:
                            raise ProtocolError("the client's store stopped in the middle of a blob")
                        offset += len(data)
                    commit = content_pb2.WriteContentRequest(
                        action=content_pb2.COMMIT, ref=digest, total=total, expected=digest, offset=offset
                    )
                    await stream.send_message(commit, end=True)
                    while await stream.recv_message() is not None:
                        pass
            except GRPCError as error:
                if error.status is not Status.ALREADY_EXISTS:
                    raise


def _pieces(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for begin in range(0, len(source), WRITE_BYTES):
            yield source[begin : begin + WRITE_BYTES]
        return
    with source.open("rb") as file:
        while data := file.read(WRITE_BYTES):
            yield data
