"""Choice of the best access to a container's files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.files.archive import ArchiveFiles
from pyd_core.files.entry import Files
from pyd_core.files.layers import LayerFiles
from pyd_core.files.live import LiveFiles
from pyd_core.linux.cgroup_names import is_member
from pyd_core.linux.layered_fs import MergedTree
from pyd_core.model.container import Container


async def open_files(engine: Provider, container: Container) -> Files:
    """Return access to the files: of the running process, of the layers on this disk, else through the engine."""
    if engine.endpoint.is_local:
        if container.state.pid > 0 and _is_process_of(container):
            try:
                return LiveFiles(container.state.pid)
            except PydError:
                return ArchiveFiles(engine, container.id)
        if container.state.pid == 0 and (tree := merged_tree(await locate_layers(engine, container))) is not None:
            return LayerFiles(tree)
    return ArchiveFiles(engine, container.id)


async def locate_layers(engine: Provider, container: Container) -> Container:
    """Return the container with the directories of its layers, where a local engine keeps them in containerd."""
    driver, endpoint = container.graph_driver, engine.endpoint
    if driver.data or not driver.name or not endpoint.is_local:
        return container
    from pyd_core.cri.engine_stores import stores_of  # noqa: PLC0415 - for one kind of store only
    from pyd_core.cri.held_layers import LayerRequest, locate  # noqa: PLC0415 - the same, and gRPC

    request = LayerRequest(snapshotter=driver.name, container=container.id)
    try:
        if _has_loop():
            graph = await locate(await asyncio.to_thread(stores_of, endpoint), request)
        else:  # a one-shot command's blocking transport, and gRPC needs a loop
            graph = asyncio.run(locate(stores_of(endpoint), request))
    except PydError:
        return container
    return msgspec.structs.replace(container, graph_driver=graph)


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def merged_tree(container: Container) -> MergedTree | None:
    """Return the container's root on disk, or None when its storage driver doesn't use directories."""
    data = container.graph_driver.data
    names = [data.get("UpperDir", ""), *data.get("LowerDir", "").split(":")]
    layers = [Path(name) for name in names if name.startswith("/")]
    if not layers or not os.access(layers[0], os.X_OK):
        return None
    mounts = {mount.destination: Path(mount.source) for mount in container.mounts if mount.source.startswith("/")}
    return MergedTree(layers, mounts)


def _is_process_of(container: Container) -> bool:
    """Return whether the pid is the container's on this machine: an engine may count pids in another namespace."""
    try:
        return is_member(Path(f"/proc/{container.state.pid}/cgroup").read_text(errors="replace"), container.id)
    except OSError:
        return False
