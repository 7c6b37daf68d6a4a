from __future__ import annotations

from typing import Any

import pytest

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.logs.line_ring import Ring
from pyd_tui.dashboard.resources.container_filters import SORTS, View
from support.dashboard import opened
from support.scripted_engine import ScriptedEngine

ENTRIES = {
    entry.id: entry
    for entry in (
        ContainerInfo(
            id="1", name="web", image="shop/web:2", project="shop", service="web", state="running", started_ns=10
        ),
        ContainerInfo(
            id="2", name="db", image="postgres:16", project="shop", state="running", health="unhealthy", started_ns=30
        ),
        ContainerInfo(id="3", name="job", image="shop/job:1", state="exited", exit_code=3, finished_ns=20),
        ContainerInfo(id="4", name="old", image="busybox", state="exited", exit_code=0, finished_ns=5),
    )
}
USAGE = {
    "1": Usage(time_ns=1, cpu_percent=2.0, memory_bytes=5 << 20),
    "2": Usage(time_ns=1, cpu_percent=80.0, memory_bytes=1 << 20),
}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("shop", ["2", "1", "3"]),
        ("SHOP web", ["1"]),
        ("shop !web", ["2", "3"]),
        ("exited", ["3", "4"]),
        ("unhealthy", ["2"]),
        ("!", ["2", "1", "3", "4"]),
        ("nothing", []),
    ],
)
def test_all_words_of_a_filter_must_match(text: str, ids: list[str]):
    assert View(text=text).order(ENTRIES, USAGE) == ids


def test_problems_are_failed_or_unhealthy_containers():
    assert View(broken_only=True).order(ENTRIES, USAGE) == ["2", "3"]


@pytest.mark.parametrize(
    ("sort", "first"), [("state", "2"), ("name", "2"), ("cpu", "2"), ("memory", "1"), ("since", "2"), ("image", "4")]
)
def test_each_sort_column_orders_as_documented(sort: str, first: str):
    assert View(sort=sort).order(ENTRIES, USAGE)[0] == first


def test_the_sort_columns_repeat():
    view = View()
    seen = []
    for _ in SORTS:
        seen.append(view.sort)
        view = view.next_sort()
    assert sorted(seen) == sorted(SORTS)
    assert view == View()


def test_a_ring_holds_the_newest_within_its_budget_and_counts_the_rest():
    ring: Ring[int] = Ring(1000)
    for number in range(10_000):
        ring.add(number, 10)
    assert len(ring) + ring.dropped == 10_000
    assert (len(ring), ring[0], ring[-1]) == (100, 9_900, 9_999)
    assert list(ring) == ring[0:100] == list(range(9_900, 10_000))
    with pytest.raises(IndexError):
        ring[100]


def test_a_ring_keeps_an_item_that_is_larger_than_its_budget():
    ring: Ring[str] = Ring(10)
    ring.add("small", 5)
    ring.add("large", 500)
    assert list(ring) == ["large"]
    assert ring.dropped == 1


def test_problems_are_sorted_by_urgency_the_latest_first():
    broken = [
        ContainerInfo(id="start", name="a", state="created", error="no such file", created_ns=9),
        ContainerInfo(id="old", name="a", state="exited", exit_code=1, finished_ns=5),
        ContainerInfo(id="new", name="b", state="exited", exit_code=1, finished_ns=8),
        ContainerInfo(id="memory", name="c", state="exited", exit_code=137, oom_killed=True, finished_ns=2),
        ContainerInfo(id="ill", name="d", state="running", health="unhealthy", started_ns=1),
        ContainerInfo(id="loop", name="e", state="restarting", exit_code=1, started_ns=1),
    ]
    order = View(broken_only=True).order({entry.id: entry for entry in broken}, {})
    assert order == ["loop", "ill", "memory", "new", "old", "start"]
    assert View(broken_only=True, sort="name").order({entry.id: entry for entry in broken}, {})[0] in {"start", "old"}


async def test_exactly_the_problems_among_a_thousand_are_shown_and_counted_on_every_screen():
    engine = ScriptedEngine()
    broken = [
        *(
            engine.add(f"failed-{number}", state="exited", exit_code=code)
            for number, code in enumerate((1, 2, 125, 126, 127))
        ),
        *(engine.add(f"crashed-{number}", state="exited", exit_code=code) for number, code in enumerate((134, 139))),
        *(engine.add(f"sick-{number}", health="unhealthy") for number in range(3)),
        *(engine.add(f"loop-{number}", state="restarting", exit_code=1) for number in range(2)),
        engine.add("unstarted", state="created", error="exec: no such file or directory"),
    ]
    well: list[dict[str, Any]] = [
        {"health": "healthy"},
        {},
        {"state": "exited"},
        {"state": "created"},
        {"state": "paused"},
    ]
    for number in range(1000 - len(broken)):
        engine.add(f"well-{number:03}", **well[number % 5])
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        await dashboard.until_shown("✗ 13 broken")
        await dashboard.press("exclamation_mark")
        await dashboard.until_shown("13 of 1,000")
        assert sorted(target.id for target in dashboard.table.keys) == sorted(broken)
        assert [name.partition("-")[0] for name in dashboard.shown[:5]] == ["loop", "loop", "sick", "sick", "sick"]
        for view in "26":
            await dashboard.press(view)
            assert "✗ 13 broken" in dashboard.text


def test_running_containers_without_figures_come_before_exited_ones():
    only_web = {"1": USAGE["1"]}
    assert View(sort="cpu").order(ENTRIES, only_web) == ["1", "2", "3", "4"]
    assert View(sort="memory").order(ENTRIES, {}) == ["2", "1", "3", "4"]


async def test_an_order_by_usage_says_how_many_containers_it_is_based_on():
    engine = ScriptedEngine()
    for number in range(60):
        engine.add(f"c{number:02}")
    async with opened(engine, size=(100, 24)) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 60)
        for _ in range(3):
            await dashboard.press("o")
        await dashboard.until_shown("ordered by what has been measured, ")
        assert "of 60" in dashboard.text
        await dashboard.press("o", "o")
        await dashboard.until(lambda: "ordered by what" not in dashboard.text)


async def test_the_times_of_exited_containers_are_not_under_a_heading_of_durations():
    engine = ScriptedEngine()
    engine.add("web")
    engine.add("job", state="exited")
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        await dashboard.until_shown("UP/ENDED")
        await dashboard.press("a")
        await dashboard.until(lambda: dashboard.shown == ["web"])
        assert "UP/ENDED" not in dashboard.text
        assert " UP " in dashboard.text
