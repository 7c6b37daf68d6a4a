"""Layers in a store of their own: what unpacking tells and leaves."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyd_core.daemon.images.blobs import Blobs
from pyd_core.daemon.images.layers import Layers
from pyd_core.daemon.store import Store


@pytest.fixture
def layers(tmp_path: Path) -> Iterator[Layers]:
    with closing(Store(tmp_path / "db")) as store:
        yield Layers(tmp_path / "layers", Blobs(tmp_path / "blobs"), store)


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


def test_unpacking_tells_how_far_it_is(layers: Layers, tmp_path: Path):
    file = packed(tmp_path / "packed")
    whole = file.stat().st_size
    told: list[int] = []
    layers.unpack(file, moved=told.append)
    assert told == sorted(told)
    assert 0 < told[0] < whole == told[-1]


def test_a_layers_size_is_that_of_its_files_and_of_what_its_links_say(layers: Layers, tmp_path: Path):
    assert layers.unpack(packed(tmp_path / "packed")).size == (3 << 20) + len("target")


def test_a_layer_that_a_pull_cut_short_has_left_is_taken_as_it_is(layers: Layers, tmp_path: Path):
    """Its files have their name, but nobody recorded it: whoever unpacks the same again gets it."""
    file = packed(tmp_path / "packed")
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    first = layers.unpack(file)
    again = layers.unpack(copy)
    assert again == first
    layers.keep(again)
    assert [each.name for each in (tmp_path / "layers").iterdir()] == [layers.directory(first.diff_id).name]
    assert (layers.directory(first.diff_id) / "file").stat().st_size == 3 << 20
