"""An engine of our own for one test run, beside whatever else runs here; all it made must be gone after."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import missing
from support.docker import Docker
from support.pydd import Pydd


@pytest.fixture(scope="session")
def pydd() -> Iterator[Pydd]:
    if os.geteuid() != 0:
        pytest.skip("the engine needs root")
    for program in ("docker", "conmon", "nft", "runc"):
        if shutil.which(program) is None:
            missing(program)
    home = Path(tempfile.mkdtemp(prefix="pydd-"))
    engine = Pydd(home)
    engine.start()
    yield engine
    engine.stop()
    left = engine.leftovers()
    shutil.rmtree(home)
    assert left == {}


@pytest.fixture(scope="session")
def docker(pydd: Pydd) -> Iterator[Docker]:
    """The docker CLI against this engine; the suite's images are made there by the fixtures that all suites share."""
    with Docker(host=pydd.host) as corner:
        yield corner
