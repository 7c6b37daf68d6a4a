"""A container's or image's layers in containerd, used where they are and kept by a lease meanwhile."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from pyd_core.cri.containerd_channel import ContainerdChannel, containerd_channel
from pyd_core.cri.engine_stores import ContainerdStore
from pyd_core.cri.leases import LeasesApi
from pyd_core.cri.snapshot_chain import chain_id
from pyd_core.cri.snapshots import SnapshotsApi
from pyd_core.errors import EngineUnavailable, NotFound, PydError, Unsupported
from pyd_core.linux.process import ProcessEntry, is_alive
from pyd_core.model.container import GraphDriver


class LayerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The layers that are asked for.

    Attributes:
        snapshotter: The graph driver's name in inspect.
        container: The container's id, which is also the key of its snapshot; empty for an image.
        diff_ids: Digests of an image's unpacked layers, the lowest first.
    """

    snapshotter: str
    container: str = ""
    diff_ids: tuple[str, ...] = ()


class HeldLayers(msgspec.Struct, frozen=True, kw_only=True):
    """Layers under a lease.

    Attributes:
        store: Has them.
        lease: Ends with `release`, or with this process: the next `hold` ends it then.
        graph: Their directories.
    """

    store: ContainerdStore
    lease: str
    graph: GraphDriver


async def hold(stores: Sequence[ContainerdStore], request: LayerRequest) -> HeldLayers:
    """Put layers under a lease of this process.

    Leases of killed processes are ended first.

    Args:
        stores: Where to look for them.
        request: The layers.

    Raises:
        Unsupported: No store has them as directories.
        PydError: containerd refused.
    """
    for store in stores:
        async with containerd_channel(store.socket, store.namespace) as connection:
            try:
                return await _hold(connection, store, request)
            except (NotFound, EngineUnavailable):
                continue  # another engine's store
    raise Unsupported("containerd has no snapshot of it", reference="no-snapshot")


async def release(held: HeldLayers) -> None:
    """End a lease; without containerd, its end is left to the lease's expiry."""
    async with containerd_channel(held.store.socket, held.store.namespace) as connection:
        with contextlib.suppress(PydError):
            await LeasesApi(connection).delete(held.lease)


@contextlib.asynccontextmanager
async def held_layers(stores: Sequence[ContainerdStore], request: LayerRequest) -> AsyncIterator[GraphDriver]:
    """Hold layers for as long as the block lasts; see `hold`."""
    held = await hold(stores, request)
    try:
        yield held.graph
    finally:
        await release(held)


async def locate(stores: Sequence[ContainerdStore], request: LayerRequest) -> GraphDriver:
    """Return the directories of a container's layers without a lease: the engine's own keeps them until it is removed.

    Raises:
        Unsupported: No store has them as directories.
    """
    for store in stores:
        async with containerd_channel(store.socket, store.namespace) as connection:
            try:
                return await SnapshotsApi(connection, request.snapshotter).mounts(request.container)
            except (NotFound, EngineUnavailable):
                continue
    raise Unsupported("containerd has no snapshot of it", reference="no-snapshot")


async def _hold(connection: ContainerdChannel, store: ContainerdStore, request: LayerRequest) -> HeldLayers:
    leases, snapshots = LeasesApi(connection), SnapshotsApi(connection, request.snapshotter)
    key = request.container or chain_id(request.diff_ids)
    if key:
        await snapshots.require(key)
    await remove_stale_leases(leases)
    lease = f"pyd-{secrets.token_hex(16)}"
    await leases.create(lease, _owner())
    try:
        if request.container:
            await leases.add_snapshot(lease, request.snapshotter, key)
            graph = await snapshots.mounts(key)
        else:
            graph = await snapshots.view(f"{lease}-view", key, lease)
    except BaseException:
        with contextlib.suppress(PydError):
            await leases.delete(lease)
        raise
    return HeldLayers(store=store, lease=lease, graph=graph)


async def remove_stale_leases(leases: LeasesApi) -> None:
    """End the leases of processes that were killed; those of other pid namespaces can't be judged here."""
    for lease, owner in (await leases.owners()).items():
        pid, start, namespace = (*owner.split("-"), "", "")[:3]
        if not (pid.isdecimal() and start.isdecimal()) or namespace != _pid_namespace():
            continue
        if not is_alive(int(pid), int(start)):
            with contextlib.suppress(PydError):  # another process is at it
                await leases.delete(lease)


def _owner() -> str:
    with ProcessEntry(os.getpid()) as own:
        return f"{own.pid}-{own.start}-{_pid_namespace()}"


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)
