"""A row of numbers as a line of bars."""

from __future__ import annotations

WIDTH = 60
_BARS = "▁▂▃▄▅▆▇█"


def curve(values: list[int]) -> str:
    """A line of bars from nothing to the highest value, at most `WIDTH` wide: each the highest of its share."""
    if not values:
        return ""
    step = max(1, -(-len(values) // WIDTH))
    shares = [max(values[start : start + step]) for start in range(0, len(values), step)]
    highest = max(shares) or 1
    return "".join(_BARS[min(len(_BARS) - 1, value * len(_BARS) // highest)] for value in shares)
