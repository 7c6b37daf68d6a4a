"""Durations as Go writes them."""

from __future__ import annotations

import pytest

from pyd_core.gosyntax.durations import format_duration, parse_request_duration

MS, SECOND = 10**6, 10**9


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"), (1, "1ns"), (1500, "1.5µs"), (50 * MS, "50ms"), (SECOND, "1s"), (1500 * MS, "1.5s"),
        (30 * SECOND, "30s"), (90 * SECOND, "1m30s"), (3600 * SECOND, "1h0m0s"), (3661 * SECOND, "1h1m1s"),
    ],
)  # fmt: skip
def test_a_duration_is_written_as_go_writes_it(nanoseconds: int, text: str):
    assert format_duration(nanoseconds) == text
    assert parse_request_duration(text.replace("µ", "u")) == nanoseconds
