"""containerd's services of leases and snapshots in this process, with the rules that pyd relies on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server

from pyd_core.cri.proto import leases_grpc, leases_pb2, snapshots_grpc, snapshots_pb2
from pyd_core.cri.proto.mount_pb2 import Mount


def overlay(*directories: str, upper: str = "") -> Mount:
    """Return an overlay mount as the overlayfs snapshotter describes it."""
    options = ["index=off", *([f"workdir={upper}-work", f"upperdir={upper}"] if upper else [])]
    return Mount(type="overlay", source="overlay", options=[*options, f"lowerdir={':'.join(directories)}"])


class ScriptedContainerd:
    """The state of one namespace, `moby`.

    Args:
        mounts: The mounts of each snapshot.
    """

    def __init__(self, mounts: dict[str, list[Mount]]) -> None:
        self.mounts = mounts
        self.leases: dict[str, dict[str, str]] = {}
        self.resources: dict[str, list[tuple[str, str]]] = {}
        self.namespaces: set[str] = set()
        self.refuse_view = False

    def note(self, stream: Any) -> None:
        """Note the namespace of a call."""
        self.namespaces.add(str(stream.metadata["containerd-namespace"]))

    @contextlib.asynccontextmanager
    async def serve(self, socket: Path) -> AsyncIterator[ScriptedContainerd]:
        """Listen on a socket."""
        server = Server([_Leases(self), _Snapshots(self)])
        await server.start(path=str(socket))
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()


async def _refuse(_service: object, _stream: object) -> None:
    raise GRPCError(Status.UNIMPLEMENTED)


_UNUSED: Any = _refuse
"""In place of the methods that pyd doesn't call."""


class _Leases(leases_grpc.LeasesBase):
    DeleteResource = ListResources = _UNUSED

    def __init__(self, state: ScriptedContainerd) -> None:
        self._state = state

    async def Create(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        self._state.leases[request.id] = dict(request.labels)
        await stream.send_message(leases_pb2.CreateResponse(lease=leases_pb2.Lease(id=request.id)))

    async def Delete(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        if request.id not in self._state.leases:
            raise GRPCError(Status.NOT_FOUND, "no such lease")
        assert request.sync
        del self._state.leases[request.id]
        for kind, key in self._state.resources.pop(request.id, []):
            if kind == "view":
                del self._state.mounts[key]
        await stream.send_message(Empty())

    async def List(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        assert list(request.filters) == ['labels."pyd.lease.owner"']
        leases = [leases_pb2.Lease(id=name, labels=labels) for name, labels in self._state.leases.items()]
        await stream.send_message(leases_pb2.ListResponse(leases=leases))

    async def AddResource(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        self._state.resources.setdefault(request.id, []).append((request.resource.type, request.resource.id))
        await stream.send_message(Empty())


class _Snapshots(snapshots_grpc.SnapshotsBase):
    Prepare = Commit = Remove = Update = List = Usage = Cleanup = _UNUSED

    def __init__(self, state: ScriptedContainerd) -> None:
        self._state = state

    def _known(self, key: str) -> list[Mount]:
        if key not in self._state.mounts:
            raise GRPCError(Status.NOT_FOUND, f"snapshot {key} does not exist")
        return self._state.mounts[key]

    async def Stat(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        self._known(request.key)
        await stream.send_message(snapshots_pb2.StatSnapshotResponse(info=snapshots_pb2.Info(name=request.key)))

    async def Mounts(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        await stream.send_message(snapshots_pb2.MountsResponse(mounts=self._known(request.key)))

    async def View(self, stream: Any) -> None:
        self._state.note(stream)
        request = await stream.recv_message()
        if self._state.refuse_view:
            raise GRPCError(Status.FAILED_PRECONDITION, "parent is not a committed snapshot")
        mounts = self._known(request.parent)
        self._state.mounts[request.key] = mounts
        lease = str(stream.metadata["containerd-lease"])
        assert lease in self._state.leases
        self._state.resources.setdefault(lease, []).append(("view", request.key))
        await stream.send_message(snapshots_pb2.ViewSnapshotResponse(mounts=mounts))
