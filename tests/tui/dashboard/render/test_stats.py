"""Curves of resource usage, and the tab and columns that show them."""

from __future__ import annotations

from datetime import UTC

from pyd_core.logs.annotation import Annotation
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.chart import buckets, graph, scale, spark
from pyd_tui.dashboard.render.containers import COLUMNS, RowUsage, row
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.layout import arrange
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.render.stats import GUTTER_COLUMNS, UsageHistory, stats

NOON = 1_700_049_600 * SECOND
CLOCK = Clock(now=lambda: NOON, zone=UTC)
WEB = ContainerInfo(id="a" * 64, name="web", state="running", memory_limit=256 << 20, cpu_limit=0.5, pids_limit=20)


def samples(*values: float | None, end: int = NOON) -> list[Usage]:
    """Return one sample per second, the last one now."""
    first = end - (len(values) - 1) * SECOND
    return [
        Usage(time_ns=first + index * SECOND, cpu_percent=value, memory_bytes=int(value or 0) << 20)
        for index, value in enumerate(values)
    ]


def cpu(usage: Usage) -> float | None:
    return usage.cpu_percent


def text(lines: list[Cell]) -> str:
    return "\n".join("".join(piece.text for piece in line) for line in lines)


def test_a_time_slot_shows_its_highest_value_or_nothing():
    values = buckets(samples(1, 9, 2, 3), cpu, until_ns=NOON, span_ns=6 * SECOND, count=3)
    assert values == [None, 9, 3]


def test_a_value_lasts_until_the_next_one_but_not_across_a_gap():
    near = [*samples(5, end=NOON - 2 * SECOND), *samples(7)]
    assert buckets(near, cpu, until_ns=NOON, span_ns=4 * SECOND, count=4) == [None, 5, 5, 7]
    far = [*samples(5, end=NOON - 9 * SECOND), *samples(7)]
    assert buckets(far, cpu, until_ns=NOON, span_ns=10 * SECOND, count=10) == [5, *[None] * 8, 7]


def test_zero_is_drawn_and_unknown_values_are_not():
    assert spark([0, None, 50, 100], 100) == " " + " " + "▄█"
    assert graph([0, None, 50, 100], 100, 2) == ["   █", "▁ ██"]


def test_the_top_of_a_curve_is_a_round_number_not_below_its_highest_value():
    assert scale(0, (1.0, 5.0)) == 1.0
    assert scale(3, (1.0, 5.0)) == 5.0
    assert scale(21, (1.0, 5.0)) == 40.0


def test_the_stats_tab_shows_both_scales_the_limits_and_deaths():
    died = Annotation(time_ns=NOON - 60 * SECOND, container_id=WEB.id, name="web", verb="die", detail="exit 137")
    usage = Usage(
        time_ns=NOON, cpu_percent=25.0, memory_bytes=64 << 20, memory_limit=256 << 20, pids=3, throttled_ratio=0.5
    )
    course = UsageHistory(samples=[*samples(*[10.0] * 200), usage], marks=[died], processors=4)
    drawn = text(stats(WEB, usage, course, CLOCK, 110))
    assert "25% of one core   50% of its limit of 0.5" in drawn
    assert "throttled 50% of the time" in drawn
    assert "64M of 256M, 25%" in drawn
    assert "3 of at most 20" in drawn
    assert "✗ 11:59:00  died, exit 137" in drawn
    stroke = {line.index("│") for line in drawn.splitlines() if "│" in line}
    rule = next(line for line in drawn.splitlines() if "─" in line)
    assert stroke == {rule.index("✗")} == {GUTTER_COLUMNS + 100 * 240 // 300}


def test_stats_without_samples_show_the_reason():
    assert "measuring" in text(stats(WEB, None, UsageHistory(samples=[]), CLOCK, 100))
    gone = ContainerInfo(id="b" * 64, name="old", state="exited", exit_code=0)
    assert "`pyd record` keeps them" in text(stats(gone, None, UsageHistory(samples=[]), CLOCK, 100))
    never = ContainerInfo(id="c" * 64, name="new", state="created")
    assert "it was never started" in text(stats(never, None, UsageHistory(samples=[]), CLOCK, 100))


def test_extra_columns_are_measured_only_where_there_is_room():
    wide = {column.key: column.min_width for column in COLUMNS} | {"engine": 0}
    shown = {placed.column.key for placed in arrange(COLUMNS, 250, wide)}
    assert {"trend", "net", "disk", "throttled"} <= shown
    narrow = [placed.column.key for placed in arrange(COLUMNS, 110, wide)]
    assert "trend" not in narrow
    assert "cpu" in narrow
    middle = [placed.column.key for placed in arrange(COLUMNS, 180, wide)]
    assert [key for key in middle if key in {"trend", "pids"}] == ["trend", "pids"]
    assert "throttled" not in middle


def test_percent_of_the_limit_shows_a_container_at_its_limit():
    usage = Usage(time_ns=NOON, cpu_percent=50.0)
    index = [column.key for column in COLUMNS].index("cpu")
    assert row(WEB, RowUsage(usage=usage), CLOCK)[index][0].text == "50%"
    assert row(WEB, RowUsage(usage=usage, cores=0.5), CLOCK)[index][0].text == "100%"
