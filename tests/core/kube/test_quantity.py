from __future__ import annotations

import pytest

from pyd_core.kube.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [("100m", 0.1), ("64Mi", 64 * 2**20), ("1.5Gi", 1.5 * 2**30), ("2", 2), ("1e3", 1000), ("12E", 12e18), (3, 3)],
)
def test_quantities_are_numbers(text: str | int, value: float):
    assert parse_quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "x", "1Xi", "--1", "1e9999", "9" * 400, None])
def test_what_is_none_is_none(text: str | None):
    assert parse_quantity(text) is None
