from __future__ import annotations

from pyd_core.model.base import format_time
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from pyd_core.model.event import Actor, Event
from pyd_core.model.host_config import HostConfig, RestartPolicy
from pyd_core.triage.runs import is_looping, judged_run, runs_of

NOW = 1_800_000_000_000_000_000
SECOND = 1_000_000_000


def event(action: str, at_s: float, **attributes: str) -> Event:
    actor = Actor(id="ab" * 32, attributes=attributes)
    return Event(type="container", action=action, actor=actor, time_nano=NOW + int(at_s * SECOND))


def container(status: str, *, restarts: int = 0, policy: str = "", code: int = 0, **times: float) -> Container:
    def moment(name: str) -> str:
        return format_time(NOW + int(times[name] * SECOND)) if name in times else ""

    state = ContainerState(
        status=status,
        running=status == "running",
        restarting=status == "restarting",
        exit_code=code,
        started_at=moment("started"),
        finished_at=moment("finished"),
    )
    host = HostConfig(restart_policy=RestartPolicy(name=policy))
    return Container(id="ab" * 32, state=state, host_config=host, restart_count=restarts)


def test_a_stop_belongs_to_the_run_it_ended_whichever_is_told_first() -> None:
    for last in (("stop", "die"), ("die", "stop")):
        times = dict(zip(last, (12.1, 12.2), strict=True))
        events = [event("start", 0), event("kill", 2, signal="15"), event("kill", 12, signal="9")]
        events += [event("die", times["die"], exitCode="137"), event("stop", times["stop"])]
        (run,) = runs_of(events)
        assert [kill.signal for kill in run.kills] == [15, 9]
        assert run.stop_ns is not None
        assert run.code == 137
        assert run.complete


def test_events_out_of_order_are_put_in_order() -> None:
    events = [event("die", 3, exitCode="1"), event("start", 0), event("start", 4)]
    first, second = runs_of(events)
    assert (first.code, first.seconds) == (1, 3.0)
    assert second.alive


def test_a_run_whose_start_is_forgotten_says_so() -> None:
    (run,) = runs_of([event("kill", 1, signal="9"), event("die", 1.1, exitCode="137")])
    assert not run.complete
    assert run.started_ns is None


def test_a_kill_of_the_next_run_is_not_counted_for_the_last() -> None:
    runs = runs_of(
        [event("start", 0), event("die", 1, exitCode="0"), event("start", 5), event("kill", 6, signal="SIGKILL")]
    )
    assert runs[0].kills == ()
    assert runs[1].sent(9) is not None


def test_names_and_numbers_of_signals_are_both_read() -> None:
    (run,) = runs_of([event("start", 0), event("kill", 1, signal="TERM"), event("kill", 2, signal="nonsense")])
    assert [kill.signal for kill in run.kills] == [15]


def test_one_that_ended_before_it_was_seen_to_start_lived_no_negative_time() -> None:
    dead = container("exited", code=139, started=0.002, finished=0.001)
    run = judged_run(dead, (), NOW + SECOND)
    assert run.seconds == 0
    assert run.code == 139


def test_inspect_is_believed_over_events_of_another_death() -> None:
    dead = container("exited", code=3, started=600, finished=601)
    old = runs_of([event("start", 0), event("kill", 1, signal="9"), event("die", 1, exitCode="137")])
    run = judged_run(dead, old, NOW + 602 * SECOND)
    assert (run.code, run.kills, run.complete) == (3, (), False)


def test_three_deaths_under_a_policy_are_a_loop_and_a_long_life_ends_it() -> None:
    runs = runs_of([e for n in range(3) for e in (event("start", n * 4), event("die", n * 4 + 3, exitCode="1"))])
    young = container("running", restarts=3, policy="always", started=12)
    assert is_looping(young, runs, NOW + 20 * SECOND)
    assert not is_looping(young, runs, NOW + 90 * SECOND)
    assert not is_looping(container("running", restarts=3, policy="no", started=12), runs, NOW + 20 * SECOND)


def test_of_a_loop_the_last_death_is_judged() -> None:
    deaths = [e for n in range(3) for e in (event("start", n * 4), event("die", n * 4 + 3, exitCode=str(n)))]
    runs = runs_of([*deaths, event("start", 12)])
    young = container("running", restarts=3, policy="always", started=12)
    assert judged_run(young, runs, NOW + 13 * SECOND).code == 2


def test_restarts_on_request_are_no_loop() -> None:
    events = [
        e
        for n in range(4)
        for e in (
            event("start", n * 4),
            event("kill", n * 4 + 1, signal="15"),
            event("stop", n * 4 + 2),
            event("die", n * 4 + 2, exitCode="0"),
        )
    ]
    young = container("running", policy="always", started=17)
    assert not is_looping(young, runs_of([*events, event("start", 17)]), NOW + 18 * SECOND)


def test_a_container_that_waits_for_its_first_restart_is_judged_by_its_death() -> None:
    state = ContainerState(
        status="restarting",
        running=True,
        restarting=True,
        exit_code=1,
        started_at=format_time(NOW - 2 * SECOND),
        finished_at=format_time(NOW - SECOND),
    )
    host = HostConfig(restart_policy=RestartPolicy(name="always"))
    waiting = Container(id="x", name_="/web", state=state, host_config=host, restart_count=1)
    run = judged_run(waiting, (), NOW)
    assert not run.alive
    assert run.code == 1
