"""Three minutes of the soak in `tests/stress`, for every run; whether memory grows takes longer to tell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.docker import Docker
from support.pydd import Pydd
from support.soak import settled, soak

MINUTES = float(os.environ.get("PYD_SOAK_CUT_MINUTES", "3"))


@pytest.mark.timeout(900)
def test_nothing_is_lost_and_nothing_hangs_for_three_minutes(tmp_path: Path):
    """At 590e172 containers stop after 280 lines, and `stop`, `kill` and `rm -f` of them hang."""
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        run = soak(engine, docker, tmp_path, MINUTES)
        end = settled(run)
        assert run.failures == [], run.report()
        assert end.descriptors <= run.before.descriptors + 4
        assert end.mounts == run.before.mounts
