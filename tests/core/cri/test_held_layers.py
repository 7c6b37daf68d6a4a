"""Holding layers against containerd's services in this process; `tests/privileged` has the real ones."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pyd_core.cri.engine_stores import ContainerdStore
from pyd_core.cri.held_layers import LayerRequest, held_layers, hold, locate, release
from pyd_core.cri.leases import LEASE_HOURS, OWNER_LABEL
from pyd_core.errors import Conflict, Unsupported
from pyd_core.linux.process import ProcessEntry
from support.scripted_containerd import ScriptedContainerd, overlay

LAYER = f"sha256:{'5d' * 32}"
CONTAINER = "c" * 64
IMAGE = LayerRequest(snapshotter="overlayfs", diff_ids=(LAYER,))


def store(socket: Path) -> ContainerdStore:
    return ContainerdStore(str(socket), "moby")


def pid_namespace() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


@pytest.fixture
def state() -> ScriptedContainerd:
    return ScriptedContainerd(
        {LAYER: [overlay("/s/2/fs", "/s/1/fs")], CONTAINER: [overlay("/s/1/fs", upper="/s/3/fs")]}
    )


async def test_an_image_is_a_view_that_goes_with_its_lease(tmp_path: Path, state: ScriptedContainerd):
    async with state.serve(tmp_path / "c.sock"):
        async with held_layers([store(tmp_path / "c.sock")], IMAGE) as graph:
            assert graph.data == {"UpperDir": "/s/2/fs", "LowerDir": "/s/1/fs"}
            (labels,) = state.leases.values()
            with ProcessEntry(os.getpid()) as own:
                assert labels[OWNER_LABEL] == f"{os.getpid()}-{own.start}-{pid_namespace()}"
            expires = datetime.fromisoformat(labels["containerd.io/gc.expire"])
            left = expires - datetime.now(UTC)
            assert timedelta(hours=LEASE_HOURS - 1) < left <= timedelta(hours=LEASE_HOURS)
            assert len(state.mounts) == 3
        assert (state.leases, set(state.mounts)) == ({}, {LAYER, CONTAINER})
    assert state.namespaces == {"moby"}


async def test_a_containers_own_snapshot_is_kept_by_the_lease(tmp_path: Path, state: ScriptedContainerd):
    async with state.serve(tmp_path / "c.sock"):
        held = await hold([store(tmp_path / "c.sock")], LayerRequest(snapshotter="overlayfs", container=CONTAINER))
        assert held.graph.data == {"UpperDir": "/s/3/fs", "LowerDir": "/s/1/fs"}
        assert state.resources == {held.lease: [("snapshots/overlayfs", CONTAINER)]}
        await release(held)
        assert state.leases == {}
        await release(held)  # containerd ended it first


async def test_the_store_that_has_the_snapshot_is_used(tmp_path: Path, state: ScriptedContainerd):
    other = ScriptedContainerd({})
    async with other.serve(tmp_path / "a.sock"), state.serve(tmp_path / "b.sock"):
        stores = [store(tmp_path / name) for name in ("gone.sock", "a.sock", "b.sock")]
        held = await hold(stores, IMAGE)
        assert (held.store, other.leases) == (stores[2], {})
        await release(held)
        with pytest.raises(Unsupported, match="no snapshot"):
            await hold(stores[:2], IMAGE)
        with pytest.raises(Unsupported, match="no snapshot"):
            await locate(stores, LayerRequest(snapshotter="overlayfs", container="d" * 64))


async def test_a_container_is_located_without_a_lease(tmp_path: Path, state: ScriptedContainerd):
    async with state.serve(tmp_path / "c.sock"):
        graph = await locate([store(tmp_path / "c.sock")], LayerRequest(snapshotter="overlayfs", container=CONTAINER))
    assert graph.data["UpperDir"] == "/s/3/fs"
    assert state.leases == {}


async def test_leases_of_killed_processes_are_ended_and_no_others(tmp_path: Path, state: ScriptedContainerd):
    here = pid_namespace()
    with ProcessEntry(os.getpid()) as own:
        living = f"{own.pid}-{own.start}-{here}"
        reused = f"{own.pid}-{own.start + 1}-{here}"
    others = {"living": living, "elsewhere": f"{2**22 + 1}-5-1", "nonsense": "a-b-c", "empty": "", "long": "1-2-3-4"}
    dead = {"killed": f"{2**22 + 1}-5-{here}", "reused": reused}
    state.leases = {name: {OWNER_LABEL: owner} for name, owner in (others | dead).items()}
    state.leases["foreign"] = {}
    async with state.serve(tmp_path / "c.sock"), held_layers([store(tmp_path / "c.sock")], IMAGE):
        assert state.leases.keys() >= others.keys() | {"foreign"}
        assert not state.leases.keys() & dead.keys()


@pytest.mark.parametrize("refused", [True, False])
async def test_a_failure_leaves_no_lease(tmp_path: Path, state: ScriptedContainerd, *, refused: bool):
    state.refuse_view = refused
    if not refused:
        state.mounts[LAYER] = []
    async with state.serve(tmp_path / "c.sock"):
        with pytest.raises(Conflict if refused else Unsupported):
            await hold([store(tmp_path / "c.sock")], IMAGE)
        assert state.leases == {}
        assert state.mounts.keys() == {LAYER, CONTAINER}
