"""Snapshots: the unpacked layers of images, and the file systems of containers."""

from __future__ import annotations

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.proto import snapshots_grpc, snapshots_pb2
from pyd_core.cri.snapshot_mounts import graph_of
from pyd_core.model.container import GraphDriver


class SnapshotsApi:
    """Snapshots of one snapshotter.

    Args:
        connection: The connection to containerd.
        snapshotter: Its name, as inspect has it for the graph driver.
    """

    def __init__(self, connection: ContainerdChannel, snapshotter: str) -> None:
        self._connection = connection
        self._snapshotter = snapshotter
        self._stub = snapshots_grpc.SnapshotsStub(connection.channel)

    async def require(self, key: str) -> None:
        """Check that a snapshot exists.

        Raises:
            NotFound: It doesn't.
        """
        with self._connection.calls():
            await self._stub.Stat(
                snapshots_pb2.StatSnapshotRequest(snapshotter=self._snapshotter, key=key),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def size_bytes(self, key: str) -> int:
        """Return the bytes of one layer.

        Raises:
            NotFound: There is no such snapshot.
        """
        with self._connection.calls():
            usage = await self._stub.Usage(
                snapshots_pb2.UsageRequest(snapshotter=self._snapshotter, key=key),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )
        return max(0, usage.size)

    async def mounts(self, key: str) -> GraphDriver:
        """Return the directories of a container's snapshot.

        Raises:
            NotFound: There is no such snapshot.
            Unsupported: It isn't a stack of directories.
        """
        with self._connection.calls():
            response = await self._stub.Mounts(
                snapshots_pb2.MountsRequest(snapshotter=self._snapshotter, key=key),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )
        return graph_of(response.mounts, self._snapshotter)

    async def view(self, key: str, parent: str, lease: str) -> GraphDriver:
        """Create a read-only snapshot and return its directories.

        Args:
            key: The name of the new snapshot.
            parent: The snapshot that it shows; empty for none.
            lease: The lease that the new snapshot belongs to; it is removed with that.

        Raises:
            NotFound: There is no such parent.
            Unsupported: It isn't a stack of directories.
        """
        with self._connection.calls():
            response = await self._stub.View(
                snapshots_pb2.ViewSnapshotRequest(snapshotter=self._snapshotter, key=key, parent=parent),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(lease),
            )
        return graph_of(response.mounts, self._snapshotter)
