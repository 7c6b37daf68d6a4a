"""Rows of the search through all logs: the match is in sight, and no more of the line is hidden than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern
from pyd_tui.dashboard.logs.search_results import Hit
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.findings import match_row
from pyd_tui.dashboard.render.pieces import fit

if TYPE_CHECKING:
    from pyd_tui.dashboard.engines.connection import EngineConnection

LONG = "0123456789" * 9


@pytest.mark.parametrize(
    ("line", "room", "shown"),
    [
        ("the job gave up", 20, "the job gave up"),
        (f"{LONG} gave up", 98, f"{LONG} gave up"),
        (f"it gave up {LONG}", 30, "it gave up 012345678901234567…"),
        (f"{LONG} gave up", 20, "…90123456789 gave up"),
        (f"{LONG} gave up {LONG}", 40, "…456789 gave up 01234567890123456789012…"),
        (f"{LONG} nothing", 20, "0123456789012345678…"),
    ],
)
def test_a_line_is_moved_sideways_only_as_far_as_its_match_needs(line: str, room: int, shown: str):
    line_read = LogLine(container_id="c", name="job", stream="stdout", time_ns=10**9, data=line.encode())
    hit = Hit(cast("EngineConnection", None), line_read)
    *_, drawn = match_row(hit, LogPattern("gave up"), Clock(), engine=False, room=room)
    assert "".join(piece.text for piece in fit(drawn, room)).rstrip() == shown
