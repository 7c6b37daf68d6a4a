"""Numbers as a line of bars."""

from __future__ import annotations

MAX_WIDTH = 60
_BARS = "▁▂▃▄▅▆▇█"


def curve(values: list[int]) -> str:
    """Return a line of at most `MAX_WIDTH` bars, each the highest value of its part."""
    if not values:
        return ""
    step = max(1, -(-len(values) // MAX_WIDTH))
    shares = [max(values[start : start + step]) for start in range(0, len(values), step)]
    highest = max(shares) or 1
    return "".join(_BARS[min(len(_BARS) - 1, value * len(_BARS) // highest)] for value in shares)
