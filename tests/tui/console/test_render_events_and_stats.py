"""Events and resource use as text."""

from __future__ import annotations

from pyd_core.model.event import Actor, Event
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.console.columns import plain
from pyd_tui.console.render.events import line
from pyd_tui.console.render.stats import COLUMNS, cells, ordered, record


def _event(action: str, **attributes: str) -> Event:
    actor = Actor(id="c" * 64, attributes={"name": "web", **attributes})
    return Event(type="container", action=action, actor=actor, time_nano=1_700_000_000 * 10**9)


def test_a_death_shows_its_exit_code():
    assert line(_event("die", exitCode="137", image="nginx")).endswith("container die web image=nginx exitCode=137")


def test_only_the_action_is_coloured_and_only_on_request():
    assert "\x1b" not in line(_event("die", exitCode="1"))
    assert "container \x1b[31mdie\x1b[0m web" in line(_event("die", exitCode="1"), colour=True)


def test_a_hostile_event_stays_on_its_line():
    shown = line(_event("exec_create: sh -c \x1b[2J\nforged", image="\r\x9b"), colour=True)
    assert len(shown.splitlines()) == 1
    assert not set(shown) & set("\x1b\r\x9b\n")


def _line(name: str, cpu: float | None = None, memory: int | None = None) -> tuple[ContainerInfo, Usage | None]:
    usage = None if cpu is None else Usage(time_ns=1, cpu_percent=cpu, memory_bytes=memory, memory_limit=2**20, pids=3)
    return ContainerInfo(id=name, name=name, state="running" if usage else "exited"), usage


def test_the_largest_comes_first_and_exited_containers_last():
    lines = [_line("a", 1, 300), _line("b", 90, 100), _line("dead"), _line("c", 1, 200)]
    assert [entry.name for entry, _ in ordered(lines, by="name")] == ["a", "b", "c", "dead"]
    assert [entry.name for entry, _ in ordered(lines, by="cpu")] == ["b", "a", "c", "dead"]
    assert [entry.name for entry, _ in ordered(lines, by="memory")] == ["a", "c", "b", "dead"]


def test_numbers_have_units_and_unknown_ones_are_empty():
    text = plain(COLUMNS, cells([_line("a", 12.345, 1536), _line("dead")])).splitlines()
    assert text[1].split() == ["a", "12.3", "1.5", "KiB", "1", "MiB", "3"]
    assert text[2].split() == ["dead", "exited"]


def test_the_record_of_a_stopped_container_has_no_numbers():
    usage = record(_line("dead"))
    assert (usage.time, usage.cpu_percent, usage.memory_bytes) == (None, None, None)
