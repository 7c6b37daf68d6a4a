"""The docker client against an engine of our own for one test run, beside whatever else runs here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.docker import Docker
from support.pydd import Pydd


@pytest.fixture(scope="session")
def pydd() -> Iterator[Pydd]:
    """The engine; all it made must be gone after."""
    with Pydd.started() as engine:
        yield engine


@pytest.fixture(scope="session")
def docker(pydd: Pydd) -> Iterator[Docker]:
    """The docker CLI against this engine; the suite's images are made there by the fixtures that all suites share."""
    with Docker(host=pydd.host) as corner:
        yield corner
