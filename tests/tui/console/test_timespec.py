"""Times on a command line."""

from __future__ import annotations

from datetime import datetime

import pytest

from pyd_core.errors import InvalidInput
from pyd_tui.console.timespec import parse_when

NOW = 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    ("text", "ago"),
    [("10s", 10), ("1h30m", 5400), ("2d", 172800), ("0s", 0), ("1.5h", 5400), ("250ms", 0.25)],
)
def test_a_span_is_before_now(text: str, ago: float):
    assert parse_when(text, now_ns=NOW) == NOW - int(ago * 10**9)


def test_seconds_since_the_epoch_keep_their_nanoseconds():
    assert parse_when("1699999999", now_ns=NOW) == 1_699_999_999 * 10**9
    assert parse_when("1699999999.123456789", now_ns=NOW) == 1_699_999_999_123_456_789


def test_a_date_is_in_its_own_zone_or_the_local_one():
    assert parse_when("2025-06-01T12:00:00Z", now_ns=NOW) == 1_748_779_200 * 10**9
    assert parse_when("2025-06-01T12:00:00.5+02:00", now_ns=NOW) == 1_748_772_000 * 10**9 + 500_000_000
    local = int(datetime.fromisoformat("2025-06-01").astimezone().timestamp())
    assert parse_when("2025-06-01", now_ns=NOW) == local * 10**9


@pytest.mark.parametrize("text", ["", "yesterday", "1h 30m", "-5m", "9999999-01-01", "10x"])
def test_a_malformed_time_is_refused_with_examples(text: str):
    with pytest.raises(InvalidInput) as caught:
        parse_when(text, now_ns=NOW)
    assert "1h30m" in caught.value.hint
