"""An hour of containers that print, and clients that come, leave, stop reading and die; the engine is as installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from support.docker import Docker
from support.pydd import Pydd
from support.soak import settled, soak

MINUTES = float(os.environ.get("PYD_SOAK_MINUTES", "60"))
MEMORY_GROWTH_KIB = 24 << 10
"""From when all containers have run for a while to the end."""


@pytest.mark.timeout(0)
def test_nothing_is_lost_nothing_hangs_and_nothing_grows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """On the engine of 0.1 containers stop after 280 lines, and `stop`, `kill` and `rm -f` of them hang."""
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        run = soak(engine, docker, tmp_path, MINUTES)
        end = settled(run)
        with capsys.disabled():
            sys.stdout.write(f"\n{run.report()}\nafter it {end}\n")
        assert run.failures == []
        assert end.descriptors <= run.before.descriptors + 4
        assert end.mounts == run.before.mounts
        assert end.threads <= max(sample.threads for sample in run.first_quarter)
        assert end.memory_kib <= max(sample.memory_kib for sample in run.first_quarter) + MEMORY_GROWTH_KIB
