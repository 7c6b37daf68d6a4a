from __future__ import annotations

import pytest

from pyd_core.client.gap import Gap
from pyd_core.logs.annotation import Annotation, annotation_from
from pyd_core.logs.line import LogLine
from pyd_core.logs.store import OVERHEAD_BYTES, LogStore
from pyd_core.model.event import Actor, Event


def line(number: int, *, size: int = 0, name: str = "web") -> LogLine:
    return LogLine(
        "id-" + name, name, "stderr" if number % 3 else "stdout", number, f"line {number}".encode().ljust(size)
    )


def numbers(store: LogStore) -> list[int]:
    return [item.time_ns for _, item in store.scan(store.first) if isinstance(item, LogLine)]


@pytest.mark.parametrize("disk", [0, 8 << 20, 512 << 20], ids=["memory alone", "small disk", "disk"])
def test_of_a_million_lines_what_is_shown_and_what_is_lost_is_what_was_produced(disk: int):
    store = LogStore(memory=16 << 20, disk=disk)
    for start in range(0, 1_000_000, 4000):
        store.add([line(number) for number in range(start, start + 4000)])
    assert store.bytes_in_memory <= 16 << 20
    assert store.bytes_on_disk <= disk
    shown = numbers(store)
    assert len(shown) + store.lost == 1_000_000
    assert shown == list(range(store.lost, 1_000_000))
    assert (store.lost == 0) == (disk == 512 << 20)
    assert store[store.first] == line(store.lost)
    store.close()


def test_any_line_comes_back_from_disk_as_it_was_with_gaps_and_marks_in_their_places():
    store = LogStore(memory=20 * (OVERHEAD_BYTES + 100))
    gap = Gap(reason="cut", lost=3, since_ns=1, until_ns=2, name="web")
    mark = Annotation(time_ns=5, container_id="a", name="web", verb="die", detail="exit 1")
    items: list[LogLine | Gap | Annotation] = [
        line(0),
        gap,
        mark,
        *(line(number, size=100, name=f"c{number % 3}") for number in range(3, 3000)),
    ]
    for item in items:
        store.add([item])
    assert store.bytes_on_disk
    assert [store[number] for number in (2999, 0, 1, 2, 1500, 0)] == [items[n] for n in (2999, 0, 1, 2, 1500, 0)]
    assert [item for _, item in store.scan(0)] == items
    assert [number for number, _ in store.scan(700, 1400)] == list(range(700, 1400))


@pytest.mark.parametrize("memory", [1 << 20, 10_000], ids=["in memory", "on disk"])
def test_older_lines_get_lower_numbers_and_move_none(memory: int):
    store = LogStore(memory=memory)
    store.add([line(number) for number in range(3000, 4000)])
    assert store.prepend([line(number) for number in range(2000, 3000)])
    assert store.prepend([line(number) for number in range(2000)])
    store.add([line(4000)])
    assert store[0] == line(3000)
    assert (store.first, store.end) == (-3000, 1001)
    assert numbers(store) == list(range(4001))


def test_older_lines_that_fit_nowhere_are_refused_and_nothing_changes():
    store = LogStore(memory=100_000, disk=0)
    store.add([line(number) for number in range(400)])
    assert not store.prepend([line(number) for number in range(400)])
    assert (store.first, store.lost, len(store)) == (0, 0, 400)


def test_a_line_larger_than_the_bound_is_held_all_the_same():
    store = LogStore(memory=1000, disk=0)
    store.add([line(1), line(2, size=5000)])
    assert store[store.end - 1] == line(2, size=5000)


def test_a_lost_number_is_no_item():
    store = LogStore(memory=10_000, disk=0)
    store.add([line(number) for number in range(2000)])
    with pytest.raises(IndexError):
        store[0]


def test_only_what_explains_a_log_leaves_a_mark_in_it():
    died = Event(
        type="container", action="die", actor=Actor(id="a", attributes={"name": "web", "exitCode": "137"}), time_nano=9
    )
    assert annotation_from(died) == Annotation(time_ns=9, container_id="a", name="web", verb="die", detail="exit 137")
    sick = annotation_from(Event(type="container", action="health_status: unhealthy", actor=Actor(id="a"), time=1))
    assert sick is not None
    assert (sick.verb, sick.detail, sick.time_ns) == ("health_status", "unhealthy", 10**9)
    assert annotation_from(Event(type="container", action="exec_start", actor=Actor(id="a"))) is None
    assert annotation_from(Event(type="network", action="die", actor=Actor(id="a"))) is None
