"""Questions that several rules ask of a case."""

from __future__ import annotations

from pyd_core.linux.kernel_events import OomKill
from pyd_core.triage.codes import signal_name, signal_number
from pyd_core.triage.error_line import error_line
from pyd_core.triage.evidence import Case, Item, KillSent

KILL, TERM = 9, 15

_ENDING = (2, 3, KILL, TERM)

MAX_GRACE_NS = 600 * 10**9
"""How long before the end a signal may lie that led to it: grace periods are seconds, rarely minutes."""


def has_ended(case: Case) -> bool:
    """Whether the judged run was one and is over."""
    return case.run.ended_ns is not None and case.run.code is not None


def exit_item(case: Case) -> Item:
    """The exit code as evidence."""
    source = "inspect" if case.container.state.exit_code == case.run.code else "events"
    return Item(source=source, time_ns=case.run.ended_ns, text=f"exit code {case.run.code}")


def error_item(case: Case) -> Item | None:
    """The line of its output that names the error as evidence."""
    line = error_line(case.lines or ())
    return None if line is None else Item(source="log", time_ns=line.time_ns, text=f"{line.stream}: {line.text}")


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
        # A busy engine stamps the end late; but who heads the table of a kill within this run is its first process.
        in_run = case.run.started_ns is not None and oom.time_ns >= case.run.started_ns
        return in_run and not oom.whole_machine and bool(oom.tasks) and oom.tasks[0].pid == oom.pid
    if oom.tasks and not oom.whole_machine:
        return oom.tasks[0].pid == oom.pid
    main = case.container.path.rpartition("/")[2][:15]
    return oom.name == main


def may_have_ended_it(case: Case, kill: KillSent) -> bool:
    """Whether a signal the engine sent may be what ended the run: one that ends programs, not long before the end.

    Others, such as SIGHUP, are sent to have a program read its configuration again, and only count where the code is
    theirs.
    """
    if case.run.ended_ns is None or case.run.ended_ns - kill.time_ns > MAX_GRACE_NS:
        return False
    return kill.signal in {*_ENDING, stop_signal(case)} or case.run.code == 128 + kill.signal


def was_asked_to_end(case: Case) -> bool:
    """Whether the engine was asked to end it (stop, restart, kill) and did so itself."""
    return case.run.stop_ns is not None or any(may_have_ended_it(case, kill) for kill in case.run.kills)


def was_asked_by_record(case: Case) -> bool:
    """Whether, events being lost, the engine's own record says that it was asked to end it.

    The record holds for every signal sent through the engine, also for harmless ones, so the code has to be one that
    a stop or kill leaves.
    """
    if not case.asked_to_end or case.signals_told or was_asked_to_end(case):
        return False
    return _code_of_request(case)


def _code_of_request(case: Case) -> bool:
    """Whether it ended with a code that a stop or kill leaves."""
    return case.run.code in {0, *(128 + signal for signal in (*_ENDING, stop_signal(case)))}


_CODE_WHILE_DOWN = 255
"""The code Docker Engine gives what ended while it was down itself."""


MAX_RESTART_NS = 120 * 10**9
"""How long before the engine's start a run ended that may have ended with the one before it."""
MAX_SKEW_NS = 5 * 10**9
"""How far the times of a start and of an end may be apart in the wrong order."""


def ended_with_engine(case: Case) -> bool:
    """Whether the run ended with the engine itself: the engine that runs now started after it.

    An engine that goes down stops its containers as it would on request, and may still tell of it; but in its own
    record nobody asked. One that was killed leaves them running, and the next one stops them first of all, unless it is
    set up to let them go on. Where nothing is told, the end has to lie shortly before the start, with a code that fits.
    """
    run, started = case.run, None if case.host is None else case.host.engine_started_ns
    if case.host is None or not has_ended(case) or run.ended_ns is None or started is None:
        return False
    if was_asked_to_end(case) and not case.host.outlived and (run.started_ns or started) < started < run.ended_ns:
        return True
    if started < run.ended_ns - MAX_SKEW_NS:
        return False
    if was_asked_to_end(case):
        return case.asked_to_end is False
    if not _code_of_request(case) and run.code != _CODE_WHILE_DOWN:
        return False
    forgotten = not any(known.ended_ns is not None for known in case.runs)
    return forgotten and not case.ooms and not case.asked_to_end and started - run.ended_ns <= MAX_RESTART_NS


def failed_unasked(case: Case) -> bool:
    """Whether it ended by itself with an error: nobody asked the engine to end it."""
    return has_ended(case) and case.run.code != 0 and not was_asked_to_end(case) and not was_asked_by_record(case)


def is_failing(case: Case) -> bool:
    """Whether its output may be asked for a cause: it failed by itself, or lives unwell."""
    if failed_unasked(case):
        return True
    health = case.container.state.health
    return case.run.alive and health is not None and health.status == "unhealthy"
