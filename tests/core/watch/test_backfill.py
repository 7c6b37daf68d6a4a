from __future__ import annotations

from typing import Any

from pyd_core.model.base import format_time
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from pyd_core.model.event import Actor, Event
from pyd_core.watch.backfill import death_from_inspect, split_deaths

SECOND = 10**9


def event(action: str, at_s: float, **attributes: str) -> Event:
    actor = Actor(id="c", attributes=attributes)
    return Event(type="container", action=action, actor=actor, time_nano=int(at_s * SECOND))


def test_each_death_comes_with_the_events_of_its_own_run() -> None:
    events = [
        event("start", 1), event("kill", 2, signal="15"), event("die", 3, exitCode="143"), event("stop", 3.1),
        event("start", 10), event("oom", 11), event("die", 11.1, exitCode="137"), event("start", 20),
    ]  # fmt: skip
    (first, run), (second, other) = split_deaths(reversed(events))
    assert (first.exit_code, second.exit_code) == (143, 137)
    assert [item.action for item in run] == ["start", "kill", "die", "stop"]
    assert [item.action for item in other] == ["start", "oom", "die"]
    assert split_deaths([event("start", 1)]) == []


def test_the_dead_tell_of_their_end_and_the_living_of_none() -> None:
    times: dict[str, Any] = {"started_at": format_time(SECOND), "finished_at": format_time(5 * SECOND)}
    dead = Container(id="c", name_="/web", state=ContainerState(status="exited", exit_code=7, **times))
    die = death_from_inspect(dead)
    assert die is not None
    assert (die.exit_code, die.time_nano, die.name) == (7, 5 * SECOND, "web")
    alive = Container(id="c", state=ContainerState(status="running", running=True, **times))
    assert death_from_inspect(alive) is None
    assert death_from_inspect(Container(id="c", state=ContainerState(status="created"))) is None
