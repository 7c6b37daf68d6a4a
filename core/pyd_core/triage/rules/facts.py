"""Questions that several rules ask of a case."""

from __future__ import annotations

from pyd_core.linux.kernel_events import OomKill
from pyd_core.triage.codes import signal_name, signal_number
from pyd_core.triage.evidence import Case, Item, KillSent

KILL, TERM = 9, 15


def ended(case: Case) -> bool:
    """Whether the judged run was one and is over."""
    return case.run.ended_ns is not None and case.run.code is not None


def exit_item(case: Case) -> Item:
    """The exit code as evidence."""
    source = "inspect" if case.container.state.exit_code == case.run.code else "events"
    return Item(source=source, time_ns=case.run.ended_ns, text=f"exit code {case.run.code}")


def kill_item(kill: KillSent) -> Item:
    """A signal the engine sent as evidence."""
    return Item(source="events", time_ns=kill.time_ns, text=f"kill: the engine sent {signal_name(kill.signal)}")


def stop_item(case: Case) -> Item:
    """The engine's word that it stopped the container on request."""
    return Item(source="events", time_ns=case.run.stop_ns, text="stop: the engine stopped it on request")


def oom_item(oom: OomKill) -> Item:
    """An out-of-memory kill as evidence."""
    return Item(source="kernel log", time_ns=oom.time_ns, text=oom.text)


def stop_signal(case: Case) -> int:
    """The signal a polite stop begins with."""
    return signal_number(case.container.config.stop_signal or "") or TERM


def victim_is_main(case: Case, oom: OomKill) -> bool:
    """Whether the process the kernel killed was the container's first.

    The pid of a living container's main process is known. For a dead one the table of weighed processes tells: in a
    container's cgroup the first process is the oldest, and the kernel lists the oldest first.
    """
    if case.main_pid:
        return oom.pid == case.main_pid
    if case.run.ended_ns is not None and case.run.ended_ns - oom.time_ns > 2_000_000_000:
        return False
    if oom.tasks and not oom.whole_machine:
        return oom.tasks[0].pid == oom.pid
    main = case.container.path.rpartition("/")[2][:15]
    return oom.name == main


def polite(case: Case) -> bool:
    """Whether the engine was asked to end it (stop, restart, kill) and did so itself."""
    return bool(case.run.kills) or case.run.stop_ns is not None


def own_end(case: Case) -> bool:
    """Whether it ended by itself with an error: nobody asked the engine to end it."""
    return ended(case) and case.run.code != 0 and not polite(case) and not case.asked_to_end


def complains(case: Case) -> bool:
    """Whether its output may be asked for a cause: it failed by itself, or lives unwell."""
    if own_end(case):
        return True
    health = case.container.state.health
    return case.run.alive and health is not None and health.status == "unhealthy"
