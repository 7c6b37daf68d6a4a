"""Sizes and lengths of time in words."""

from __future__ import annotations

import pytest

from pyd_core.humanize import age, docker_duration, lifetime, size

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (86400, "1d"), (7 * 86400, "1w"), (8e8, "25y")],
)
def test_an_age_is_its_largest_whole_unit(seconds: float, words: str):
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KiB"),
        (1536, "1.5 KiB"),
        (10 * 2**20, "10 MiB"),
        (1023 * 2**20, "1 GiB"),
        (2**60, "1024 PiB"),
    ],
)
def test_a_size_has_three_figures_at_most(count: float, words: str):
    assert size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "Less than a second"), (0.5, "Less than a second"), (1, "1 second"), (59, "59 seconds"),
        (61, "About a minute"), (119, "About a minute"), (150, "2 minutes"), (59 * 60, "59 minutes"),
        (HOUR, "About an hour"), (1.4 * HOUR, "About an hour"), (1.6 * HOUR, "2 hours"), (47 * HOUR, "47 hours"),
        (3 * DAY, "3 days"), (15 * DAY, "2 weeks"), (70 * DAY, "2 months"), (800 * DAY, "2 years"),
    ],
)  # fmt: skip
def test_a_length_of_time_is_written_as_engines_write_it(seconds: float, words: str):
    assert docker_duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "at once"), (0.004, "at once"), (0.04, "after 0.04 s"), (12, "after 12 s")]
)
def test_a_lifetime_too_short_to_measure_is_named(seconds: float, words: str):
    assert lifetime(seconds) == words
