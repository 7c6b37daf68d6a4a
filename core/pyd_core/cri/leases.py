"""Leases: what a lease refers to isn't collected by containerd before the lease ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.proto import leases_grpc, leases_pb2

LEASE_HOURS = 24
"""Hours until containerd ends a lease that no pyd has ended."""

OWNER_LABEL = "pyd.lease.owner"
"""Names the process that a lease belongs to."""

_EXPIRES_LABEL = "containerd.io/gc.expire"
_MAX_LEASES = 10_000


class LeasesApi:
    """Leases of one namespace.

    Args:
        connection: The connection to containerd.
    """

    def __init__(self, connection: ContainerdChannel) -> None:
        self._connection = connection
        self._stub = leases_grpc.LeasesStub(connection.channel)

    async def create(self, lease: str, owner: str) -> None:
        """Create a lease that expires after `LEASE_HOURS`."""
        expires = datetime.now(UTC) + timedelta(hours=LEASE_HOURS)
        labels = {OWNER_LABEL: owner, _EXPIRES_LABEL: expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        with self._connection.calls():
            await self._stub.Create(
                leases_pb2.CreateRequest(id=lease, labels=labels),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def add_snapshot(self, lease: str, snapshotter: str, key: str) -> None:
        """Make a lease refer to a snapshot that exists already."""
        resource = leases_pb2.Resource(id=key, type=f"snapshots/{snapshotter}")
        with self._connection.calls():
            await self._stub.AddResource(
                leases_pb2.AddResourceRequest(id=lease, resource=resource),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def delete(self, lease: str) -> None:
        """End a lease and wait until containerd has removed what only that lease referred to.

        Raises:
            NotFound: There is no such lease.
        """
        with self._connection.calls():
            await self._stub.Delete(
                leases_pb2.DeleteRequest(id=lease, sync=True),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )

    async def owners(self) -> dict[str, str]:
        """Return the owners of the leases that pyd created, by lease."""
        with self._connection.calls():
            response = await self._stub.List(
                leases_pb2.ListRequest(filters=[f'labels."{OWNER_LABEL}"']),
                timeout=CALL_TIMEOUT_S,
                metadata=self._connection.metadata(),
            )
        return {
            lease.id: lease.labels[OWNER_LABEL]
            for lease in response.leases[:_MAX_LEASES]
            if OWNER_LABEL in lease.labels
        }
