from __future__ import annotations

from datetime import UTC

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.overview import overview

NOON = 1_700_049_600 * SECOND
WEB = ContainerInfo(id="a" * 64, name="web", state="running", health="healthy", started_ns=NOON - SECOND)
USAGE = Usage(time_ns=NOON, memory_bytes=1 << 20, net_rx=0, net_tx=0, block_read=0, block_write=0)


def text(*, removed: bool) -> str:
    lines = overview(WEB, USAGE, None, Clock(now=lambda: NOON, zone=UTC), removed=removed)
    return "\n".join("".join(piece.text for piece in line) for line in lines)


def test_a_removed_container_neither_runs_nor_uses_anything():
    shown = text(removed=True)
    assert "removed (was running)" in shown
    assert not any(word in shown for word in (" up ", "healthy", "Usage"))


def test_bytes_of_the_network_go_in_and_out_and_those_of_disks_are_read_and_written():
    shown = text(removed=False)
    assert "0B/s in, 0B/s out" in shown
    assert "0B/s read, 0B/s written" in shown
