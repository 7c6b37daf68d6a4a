"""Sizes and lengths of time in words."""

from __future__ import annotations

import pytest

from pyd_core.humanize import age, size


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
