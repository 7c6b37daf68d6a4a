"""Registries that break off, send too little, too much or something else: what comes of a pull; nothing of it stays."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable

import pytest
import zstandard

from support.docker import Docker, busybox_files, layer
from support.flaky_registry import FlakyRegistry
from support.pydd import Pydd

CUT = 100_000
"""Bytes after which a connection ends."""


@pytest.fixture(scope="module")
def body() -> bytes:
    return layer({**busybox_files(), "noise": random.Random(4).randbytes(3 * CUT)})


def pulled(docker: Docker, name: str) -> str:
    """Pull, run and remove the image, and return what the client printed."""
    output = docker("pull", name)
    assert docker("run", "--rm", "--network", "none", name, "wc", "-c", "/noise") == f"{3 * CUT} /noise"
    docker("rmi", name)
    return output


def refused(pydd: Pydd, docker: Docker, name: str) -> str:
    """Pull in vain and return the client's error message. Nothing of the image may stay."""
    done = subprocess.run(["docker", "-H", docker.host, "pull", name], capture_output=True, check=False)
    assert done.returncode != 0
    assert docker("images", "-q", name) == ""
    assert list((pydd.config.root / "blobs/spool").iterdir()) == []
    assert not list((pydd.config.root / "layers").glob("new-*"))
    return done.stderr.decode()


def test_a_download_that_breaks_resumes_where_it_broke(docker: Docker, body: bytes):
    registry = FlakyRegistry(body, sent=lambda packed, begin, number: packed[begin:][: CUT if number < 3 else None])
    with registry.serving() as name:
        assert "Retrying" in pulled(docker, name)
    assert registry.requested_offsets == [0, CUT, 2 * CUT]


def test_a_download_restarts_from_a_registry_without_range_requests(docker: Docker, body: bytes):
    registry = FlakyRegistry(body, sent=lambda packed, _, number: packed[: CUT if number == 1 else None], ranges=False)
    with registry.serving() as name:
        pulled(docker, name)
    assert registry.requested_offsets == [0, CUT]


def test_a_request_is_retried_when_the_registry_closes_a_reused_connection(docker: Docker, body: bytes):
    registry = FlakyRegistry(body, keeps=True)
    with registry.serving() as name:
        assert "Retrying" not in pulled(docker, name)
    assert registry.requested_offsets == [0]


HOSTILE: dict[str, tuple[Callable[[bytes, int, int], bytes], str]] = {
    "nothing ever comes": (lambda *_: b"", "peer closed connection"),
    "other bytes": (lambda packed, *_: packed[:-1] + bytes([packed[-1] ^ 1]), "digest mismatch"),
    "more than promised": (lambda packed, *_: packed + b"x", "longer than"),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_wrong_layer_is_refused_and_nothing_stays(pydd: Pydd, docker: Docker, body: bytes, trick: str):
    sent, words = HOSTILE[trick]
    with FlakyRegistry(body, sent=sent).serving() as name:
        assert words in refused(pydd, docker, name)


def test_a_layer_packed_with_zstd_runs(docker: Docker, body: bytes):
    registry = FlakyRegistry(body, compress=zstandard.ZstdCompressor().compress, form="zstd")
    with registry.serving() as name:
        pulled(docker, name)


def test_a_layer_with_the_wrong_media_type_is_recognised_by_its_bytes(docker: Docker, body: bytes):
    with FlakyRegistry(body, compress=bytes, form="gzip").serving() as name:
        pulled(docker, name)


def test_a_packed_layer_that_ends_too_early_is_refused(pydd: Pydd, docker: Docker, body: bytes):
    with FlakyRegistry(body, compress=lambda plain: zstandard.compress(plain)[:-CUT]).serving() as name:
        assert "archive" in refused(pydd, docker, name)
