"""Layers in a store of their own: what unpacking tells and leaves."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pyd_core.daemon.images.blobs import BlobStore
from pyd_core.daemon.images.layers import LayerStore, StoredLayer
from pyd_core.daemon.store import Store


@pytest.fixture
def layers(tmp_path: Path) -> Iterator[LayerStore]:
    with closing(Store(tmp_path / "db")) as store:
        yield LayerStore(tmp_path / "layers", BlobStore(tmp_path / "blobs"), store)


def packed(where: Path) -> Path:
    """A layer of three megabytes that don't pack well, and a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry, body in ((tarfile.TarInfo("file"), os.urandom(3 << 20)), (tarfile.TarInfo("link"), b"")):
            entry.uid, entry.gid, entry.size = os.getuid(), os.getgid(), len(body)
            if entry.name == "link":
                entry.type, entry.linkname = tarfile.SYMTYPE, "target"
            tar.addfile(entry, io.BytesIO(body))
    where.write_bytes(gzip.compress(buffer.getvalue(), 1))
    return where


def test_unpacking_reports_its_progress(layers: LayerStore, tmp_path: Path):
    file = packed(tmp_path / "packed")
    whole = file.stat().st_size
    progress: list[int] = []
    layers.unpack(file, on_progress=progress.append)
    assert progress == sorted(progress)
    assert 0 < progress[0] < whole == progress[-1]


def test_a_layers_size_is_that_of_its_files_and_of_what_its_links_say(layers: LayerStore, tmp_path: Path):
    assert layers.unpack(packed(tmp_path / "packed")).size == (3 << 20) + len("target")


def test_a_layer_that_a_pull_cut_short_has_left_is_taken_as_it_is(layers: LayerStore, tmp_path: Path):
    """The files have their final name but no record: the next unpacking of the same layer adopts them."""
    file = packed(tmp_path / "packed")
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    first = layers.unpack(file)
    again = layers.unpack(copy)
    assert again == first
    layers.record(again)
    assert [path.name for path in (tmp_path / "layers").iterdir()] == [layers.directory(first.diff_id).name]
    assert (layers.directory(first.diff_id) / "file").stat().st_size == 3 << 20


COLLISION = Path(__file__).parent / "collision"
"""Two layers whose digests agree in their first 64 bits; making them takes an hour."""


def colliding(where: Path, name: str) -> Path:
    return Path(shutil.copyfile(COLLISION / f"{name}.tar", where / name))


def program(layers: LayerStore, layer: StoredLayer) -> str:
    return (layers.directory(layer.diff_id) / "app.sh").read_text()


def test_layers_whose_digests_begin_alike_keep_their_own_files(layers: LayerStore, tmp_path: Path):
    """Version 0.1 knew layers by 64 bits of their digest: the second one got the files of the first."""
    results = []
    for name in ("hostile", "benign"):
        results.append(layers.unpack(colliding(tmp_path, name)))
        layers.record(results[-1])
    hostile, benign = results
    assert hostile.diff_id[:23] == benign.diff_id[:23]
    assert "HOSTILE" in program(layers, hostile)
    assert "benign" in program(layers, benign)
    layers.set_aside([hostile])
    assert "benign" in program(layers, benign)


def installed_by_version_0_1(tmp_path: Path, names: Sequence[str]) -> list[StoredLayer]:
    """Make a store in which directories of layers have short names, the first layer's files in them."""
    with closing(Store(tmp_path / "db")) as store:
        layers = LayerStore(tmp_path / "layers", BlobStore(tmp_path / "blobs"), store)
        results = []
        for name in names:
            layer = layers.unpack(colliding(tmp_path, name))
            layers.record(layer)
            short = layers.directory(layer.diff_id).with_name(layer.diff_id[7:23])
            if short.exists():
                shutil.rmtree(layers.directory(layer.diff_id))
            else:
                layers.directory(layer.diff_id).rename(short)
            results.append(layer)
    return results


def test_layers_of_version_0_1_are_renamed_at_start(tmp_path: Path):
    [layer] = installed_by_version_0_1(tmp_path, ["benign"])
    for _ in range(2):
        with closing(Store(tmp_path / "db")) as store:
            layers = LayerStore(tmp_path / "layers", BlobStore(tmp_path / "blobs"), store)
            assert "benign" in program(layers, layer)
            assert [path.name for path in (tmp_path / "layers").iterdir()] == [layer.diff_id[7:]]


def test_layers_of_version_0_1_that_share_a_directory_are_unpacked_again(tmp_path: Path):
    """The directory has the files of the hostile layer, which the benign image ran too."""
    hostile, benign = installed_by_version_0_1(tmp_path, ["hostile", "benign"])
    with closing(Store(tmp_path / "db")) as store:
        layers = LayerStore(tmp_path / "layers", BlobStore(tmp_path / "blobs"), store)
        assert "HOSTILE" in program(layers, hostile)
        assert "benign" in program(layers, benign)
        assert len(list((tmp_path / "layers").iterdir())) == 2


def test_a_shared_directory_with_damaged_packed_layers_is_not_used(tmp_path: Path):
    hostile, benign = installed_by_version_0_1(tmp_path, ["hostile", "benign"])
    with closing(Store(tmp_path / "db")) as store:
        blobs = BlobStore(tmp_path / "blobs")
        blobs.path(benign.blob).write_bytes(b"damaged")
        layers = LayerStore(tmp_path / "layers", blobs, store)
        assert benign.diff_id not in layers
        assert "HOSTILE" in program(layers, hostile)
