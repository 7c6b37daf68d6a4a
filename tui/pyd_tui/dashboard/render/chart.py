"""Curves made of characters: small ones in a cell, large ones over several lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyd_core.watch.stats import Usage

BLOCKS = " ▁▂▃▄▅▆▇█"
"""Eighths of a cell, from none to all."""

HOLD_NS = 3_000_000_000
"""Nanoseconds for which a sample counts when there is no newer one; beyond that nothing was measured."""
THINNED_AFTER_NS = 300_000_000_000
"""Age beyond which samples are kept only every ten seconds."""
LONG_HOLD_NS = 15_000_000_000
"""Nanoseconds for which such a sample counts."""

Values = Sequence[float | None]


def buckets(
    samples: Sequence[Usage], get: Callable[[Usage], float | None], *, until_ns: int, span_ns: int, count: int
) -> list[float | None]:
    """Return the highest value in each of `count` equal parts of the time before `until_ns`; None: not measured."""
    values: list[float | None] = [None] * count
    begin = until_ns - span_ns
    last: tuple[int, int, float] | None = None
    """The last sample's part, time and value."""
    for sample in samples:
        value = get(sample)
        if value is None or sample.time_ns <= begin:
            continue
        index = min(count - 1, (sample.time_ns - begin - 1) * count // span_ns)
        hold = HOLD_NS if sample.time_ns > until_ns - THINNED_AFTER_NS else LONG_HOLD_NS
        if last is not None and sample.time_ns - last[1] <= hold:  # one line, not dots with gaps between
            for between in range(last[0] + 1, index):
                values[between] = last[2]
        values[index] = value if values[index] is None else max(value, values[index] or 0)
        last = (index, sample.time_ns, value)
    return values


def spark(values: Values, top: float) -> str:
    """Draw one character for each value; a value above zero is never drawn as a blank."""
    drawn = []
    for value in values:
        level = 0 if not value or top <= 0 else max(1, min(8, round(8 * value / top)))
        drawn.append(BLOCKS[level] if value is not None else " ")
    return "".join(drawn)


def graph(values: Values, top: float, lines: int) -> list[str]:
    """Draw the area under a curve as `lines` texts from the top: a column for each value, eight steps to a line.

    Measured values are at least one step high, so that zero differs from unknown.
    """
    max_steps = 8 * lines
    steps = []
    for value in values:
        share = round(max_steps * value / top) if value is not None and top > 0 else 0
        steps.append(0 if value is None else max(1, min(max_steps, share)))
    return ["".join(BLOCKS[max(0, min(8, step - 8 * (lines - 1 - line)))] for step in steps) for line in range(lines)]


def scale(highest: float, steps: Sequence[float]) -> float:
    """Return a round number not below the highest value: the first such step, or the last step doubled often enough."""
    for step in steps:
        if highest <= step:
            return step
    top = steps[-1]
    while top < highest:
        top *= 2
    return top
