"""Small documents in containerd's content store: indexes, manifests and configurations of images."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.proto import content_grpc, content_pb2
from pyd_core.errors import NotFound, ProtocolError
from pyd_core.sanitise import safe

MAX_DOCUMENT_BYTES = 4 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SNAPSHOT_LABEL = "containerd.io/gc.ref.snapshot."
"""Before the name of a snapshotter, in the labels of a configuration whose layers that has."""


class NodeContentStore:
    """The content store in one namespace.

    Args:
        connection: The connection to containerd.
    """

    def __init__(self, connection: ContainerdChannel) -> None:
        self._connection = connection

    @cached_property
    def _stub(self) -> content_grpc.ContentStub:
        return content_grpc.ContentStub(self._connection.channel)

    async def document(self, digest: str) -> bytes:
        """Return a document, verified.

        Raises:
            NotFound: It isn't stored here.
            ProtocolError: It is too long, or has another digest.
        """
        if _DIGEST.fullmatch(digest) is None:
            raise ProtocolError(f"the runtime names a document {safe(digest[:80])!r}, which is not a digest")
        if (await self._info(digest)).size > MAX_DOCUMENT_BYTES:
            raise ProtocolError(f"the document {digest} is longer than {MAX_DOCUMENT_BYTES} bytes")
        body = bytearray()
        with self._connection.calls():
            async with self._stub.Read.open(timeout=CALL_TIMEOUT_S, metadata=self._connection.metadata()) as stream:
                await stream.send_message(content_pb2.ReadContentRequest(digest=digest), end=True)
                async for part in stream:
                    body += part.data
                    if len(body) > MAX_DOCUMENT_BYTES:
                        raise ProtocolError(f"the document {digest} is longer than {MAX_DOCUMENT_BYTES} bytes")
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise ProtocolError(f"the runtime's copy of {digest} is damaged")
        return bytes(body)

    async def require(self, digest: str) -> None:
        """Check that a document is stored here.

        Raises:
            NotFound: It isn't.
        """
        await self._info(digest)

    async def snapshotter(self, config_digest: str) -> str:
        """Return the snapshotter that has the layers of an image; empty where they aren't unpacked."""
        if _DIGEST.fullmatch(config_digest) is None:
            return ""
        try:
            labels = (await self._info(config_digest)).labels
        except NotFound:
            return ""
        return next((label.removeprefix(_SNAPSHOT_LABEL) for label in labels if label.startswith(_SNAPSHOT_LABEL)), "")

    async def _info(self, digest: str) -> content_pb2.Info:
        with self._connection.calls():
            response = await self._stub.Info(
                content_pb2.InfoRequest(digest=digest), timeout=CALL_TIMEOUT_S, metadata=self._connection.metadata()
            )
        return response.info
