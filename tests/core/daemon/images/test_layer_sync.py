"""Layers of builds are synced in the background, and checked after a boot that came before that."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyd_core.daemon.build.exporters.packing import pack
from pyd_core.daemon.images import layers as layers_module
from pyd_core.daemon.images.blobs import BlobStore
from pyd_core.daemon.images.layer_sync import LayerSync
from pyd_core.daemon.images.layers import LayerStore, StoredLayer
from pyd_core.daemon.store import Store
from pyd_core.tasks import TaskOwner


class Disk:
    """The directories and the database of an engine."""

    def __init__(self, root: Path, store: Store) -> None:
        self.root = root
        self.store = store

    def layers(self) -> LayerStore:
        """Open the layers, as an engine does at its start."""
        return LayerStore(self.root / "layers", BlobStore(self.root / "blobs"), self.store)

    def blob(self, layer: StoredLayer) -> Path:
        return BlobStore(self.root / "blobs").path(layer.blob)

    def build(self, layers: LayerStore, content: str) -> StoredLayer:
        """Make a layer as an export does."""
        directory = self.root / f"snapshot-{content}"
        directory.mkdir()
        (directory / "file").write_text(content)
        file = BlobStore(self.root / "blobs").create_temporary()
        return layers.adopt([pack(directory, file, len(content))])[0]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with closing(Store(tmp_path / "db")) as store:
        yield Disk(tmp_path, store)


async def ended(owner: TaskOwner) -> None:
    """Wait for the tasks of an owner."""
    while len(owner):  # noqa: ASYNC110 - an owner has no event for its last task
        await asyncio.sleep(0)


def reboot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers_module, "boot_id", lambda: "another boot")


def test_an_engine_of_the_same_boot_keeps_layers_that_were_not_synced(disk: Disk):
    layer = disk.build(disk.layers(), "kept")
    again = disk.layers()
    assert again.rechecked == frozenset()
    assert again.unsynced() == [layer.diff_id]
    assert (again.directory(layer.diff_id) / "file").read_text() == "kept"


def test_a_layer_damaged_by_a_power_failure_is_unpacked_again(disk: Disk, monkeypatch: pytest.MonkeyPatch):
    before = disk.layers()
    layer = disk.build(before, "restored")
    (before.directory(layer.diff_id) / "file").write_text("")
    (before.directory(layer.diff_id) / "other").touch()
    reboot(monkeypatch)
    after = disk.layers()
    assert after.rechecked == {layer.diff_id}
    assert [path.name for path in after.directory(layer.diff_id).iterdir()] == ["file"]
    assert (after.directory(layer.diff_id) / "file").read_text() == "restored"
    assert after.unsynced() == []


@pytest.mark.parametrize("damage", ["empty", "cut", "missing", "other"])
def test_a_layer_whose_packed_form_is_damaged_too_is_removed(disk: Disk, monkeypatch: pytest.MonkeyPatch, damage: str):
    before = disk.layers()
    layer, intact = disk.build(before, "lost"), disk.build(before, "synced")
    before.mark_synced([intact.diff_id])
    blob = disk.blob(layer)
    bodies = {"empty": b"", "cut": blob.read_bytes()[:-9], "other": disk.blob(intact).read_bytes()}
    blob.unlink() if damage == "missing" else blob.write_bytes(bodies[damage])
    reboot(monkeypatch)
    after = disk.layers()
    assert after.rechecked == {layer.diff_id}
    assert [stored.diff_id for stored in after.all()] == [intact.diff_id]
    assert [path.name for path in (disk.root / "layers").iterdir()] == [after.directory(intact.diff_id).name]


def test_synced_layers_are_not_checked_after_a_boot(disk: Disk, monkeypatch: pytest.MonkeyPatch):
    layer = disk.build(disk.layers(), "synced")

    async def sync(layers: LayerStore) -> None:
        async with asyncio.timeout(60), TaskOwner() as owner:
            LayerSync(layers, owner).request(layers.unsynced())
            await ended(owner)

    asyncio.run(sync(disk.layers()))
    disk.blob(layer).unlink()
    reboot(monkeypatch)
    assert disk.layers().rechecked == frozenset()


def test_a_request_during_a_sync_has_a_sync_of_its_own(disk: Disk, monkeypatch: pytest.MonkeyPatch):
    """The first sync may miss files written after it began."""
    layers = disk.layers()
    layer = disk.build(layers, "twice")
    is_syncing, go = threading.Event(), threading.Event()
    marks: list[bool] = []

    def sync() -> None:
        marks.append(layers.is_unsynced(layer.diff_id))
        is_syncing.set()
        assert go.wait(60)

    monkeypatch.setattr(layers, "sync", sync)

    async def request_twice() -> None:
        async with asyncio.timeout(60), TaskOwner() as owner:
            syncs = LayerSync(layers, owner)
            assert syncs.request([layer.diff_id])
            await asyncio.to_thread(is_syncing.wait)
            assert syncs.request([layer.diff_id])
            go.set()
            await ended(owner)
            assert not syncs.request([layer.diff_id])

    asyncio.run(request_twice())
    assert marks == [True, True]
