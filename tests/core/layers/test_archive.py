"""Layers in an engine's archive of an image, with any compression."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import threading
from collections.abc import Callable

import pytest
import zstandard

from pyd_core.errors import ProtocolError
from pyd_core.layers.archive import Feed, read_feed
from pyd_core.layers.content import LayerContent


def tar(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def layers(archive: bytes, piece: int = 777) -> list[LayerContent] | Exception:
    feed = Feed()
    result: list[list[LayerContent] | Exception] = []
    thread = threading.Thread(target=read_feed, args=(feed, result.append))
    thread.start()
    for offset in range(0, len(archive), piece):
        feed.feed(archive[offset : offset + piece])
    feed.feed(None)
    thread.join()
    return result[0]


def image(layer: bytes) -> bytes:
    manifest = json.dumps([{"Layers": ["blobs/sha256/l"]}]).encode()
    return tar(**{"blobs/sha256/c": b"{}", "blobs/sha256/l": layer, "manifest.json": manifest})


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_added_and_removed_files_are_read_with_any_compression(pack: Callable[[bytes], bytes]):
    """Version 0.1 did not read layers packed with zstd."""
    inner = tar(**{"a/b": b"1" * 1000, "a/.wh.c": b"", "d/.wh..wh..opq": b""})
    expected = LayerContent(name="blobs/sha256/l", files={"a/b": 1000}, removed={"a/c"}, opaque_directories={"d"})
    assert layers(image(pack(inner))) == [expected]


def test_damaged_and_incomplete_archives_are_refused():
    assert isinstance(layers(b"no tar at all" * 100), ProtocolError)
    assert isinstance(layers(image(b"{}")), ProtocolError)
