from __future__ import annotations

import msgspec
import pytest

from pyd_core.linux.kernel_events import KernelEvents
from pyd_core.model.base import format_time
from pyd_core.model.host_config import RestartPolicy
from pyd_core.triage.collect.kernel import Kernel, collect
from pyd_core.triage.evidence import Case, Run
from pyd_core.triage.verdict import Verdict, decide

from .conftest import NOW, SECOND, MakeCase, kill_of

HOUR = 3600 * SECOND


def killed(dead: MakeCase, *, shift: int, created_before: int = 12 * SECOND) -> Case:
    """Return the case of a container that the kernel killed for memory, with a log whose times are off."""
    case = dead(137, kernel_read=False)
    container = msgspec.structs.replace(case.container, created=format_time(NOW - created_before))
    case.container = container
    kill = kill_of(100, "app")
    kill = msgspec.structs.replace(kill, time_ns=kill.time_ns + shift)
    collect(case, Kernel(events=KernelEvents(ooms=(kill,))))
    return case


@pytest.mark.parametrize("shift", [-HOUR, HOUR])
def test_a_clock_that_was_set_hides_no_kill_and_costs_certainty(dead: MakeCase, shift: int) -> None:
    right, off = decide(killed(dead, shift=0)), decide(killed(dead, shift=shift))
    assert (right.cause, off.cause) == ("oom-killed", "oom-killed")
    assert off.confidence < right.confidence
    assert any("clock was set" in gap.reason for gap in off.unread)


def test_a_kill_of_an_earlier_run_is_not_taken_for_this_ones(dead: MakeCase) -> None:
    old = killed(dead, shift=-HOUR, created_before=7200 * SECOND)
    assert old.ooms == ()
    assert decide(old).cause == "killed-externally"
    again = killed(dead, shift=-HOUR)
    again.ooms, again.runs = (), (Run(ended_ns=NOW - HOUR), again.run)
    again.unread.clear()
    collect(again, Kernel(events=KernelEvents(ooms=(kill_of(100, "app", ended_ns=NOW - HOUR),))))
    assert again.ooms == ()


def undescribed(dead: MakeCase, *, name: str, has_event: bool) -> Verdict:
    """Judge a container that ended by SIGKILL while the kernel logged a kill for memory without its cgroup."""
    case = dead(137, kernel_read=False)
    kill = msgspec.structs.replace(kill_of(100, name), limit_cgroup="?", task_cgroup="", tasks=())
    if has_event:
        case.run = msgspec.structs.replace(case.run, ooms=(kill.time_ns,))
    collect(case, Kernel(events=KernelEvents(ooms=(kill,))))
    return decide(case)


def test_a_kill_without_its_cgroup_is_claimed_where_engine_and_name_say_so(dead: MakeCase) -> None:
    right, claimed = decide(killed(dead, shift=0)), undescribed(dead, name="app", has_event=True)
    assert (right.cause, claimed.cause) == ("oom-killed", "oom-killed")
    assert claimed.confidence < right.confidence
    assert any("many kills at once" in gap.reason for gap in claimed.unread)


def test_a_kill_without_its_cgroup_is_left_to_whomever_it_was(dead: MakeCase) -> None:
    assert undescribed(dead, name="app", has_event=False).cause == "killed-externally"
    by_event = undescribed(dead, name="stranger", has_event=True)
    assert by_event.cause == "oom-killed", "the engine's word alone"
    assert "isn't known" in by_event.summary


def test_a_kill_without_its_cgroup_long_before_the_end_costs_no_certainty(dead: MakeCase) -> None:
    case = dead(0, kernel_read=False)
    kill = msgspec.structs.replace(kill_of(100, "app"), limit_cgroup="?", task_cgroup="", tasks=())
    collect(case, Kernel(events=KernelEvents(ooms=(msgspec.structs.replace(kill, time_ns=NOW - 9 * SECOND),))))
    assert (case.ooms, case.kernel_read, case.unread) == ((), True, [])


def test_a_present_before_the_past_breaks_no_verdict(dead: MakeCase) -> None:
    for code in (0, 1, 137, 143):
        case = dead(code, "connection refused")
        case.now_ns = case.run.started_ns or 0
        case.run = msgspec.structs.replace(case.run, ended_ns=(case.run.started_ns or 0) - HOUR)
        verdict = decide(case)
        assert "-" not in verdict.summary.replace("out-of-memory", ""), "no negative length of time"
    case.container = msgspec.structs.replace(
        case.container,
        restart_count=5,
        host_config=msgspec.structs.replace(case.container.host_config, restart_policy=RestartPolicy(name="always")),
    )
    assert decide(case).cause
