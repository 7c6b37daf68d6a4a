"""Predicates and evidence that several rules share."""

from __future__ import annotations

from pyd_core.linux.kernel_events import OomKill
from pyd_core.triage.codes import signal_name, signal_number
from pyd_core.triage.error_line import error_line
from pyd_core.triage.evidence import Case, Item, KillSent

KILL, TERM = 9, 15

_ENDING = (2, 3, KILL, TERM)

MAX_QUOTE_CHARACTERS = 160
"""Of an error line in a sentence."""

MAX_GRACE_NS = 600 * 10**9
"""Maximum time between a signal and the end that it caused: grace periods are seconds, rarely minutes."""


def has_ended(case: Case) -> bool:
    """Return whether the judged run has ended."""
    return case.run.ended_ns is not None and case.run.code is not None


def exit_item(case: Case) -> Item:
    """Return the exit code as evidence."""
    source = "inspect" if case.container.state.exit_code == case.run.code else "events"
    return Item(source=source, time_ns=case.run.ended_ns, text=f"exit code {case.run.code}")


def error_item(case: Case) -> Item | None:
    """Return the line of its output that names the error as evidence."""
    line = error_line(case.lines or ())
    return None if line is None else Item(source="log", time_ns=line.time_ns, text=f"{line.stream}: {line.text}")


def quote(text: str) -> str:
    """Return a line of output, shortened for a sentence."""
    text = text.strip()
    return text if len(text) <= MAX_QUOTE_CHARACTERS else f"{text[:MAX_QUOTE_CHARACTERS]}…"


def kill_item(kill: KillSent) -> Item:
    """Return a signal of the engine as evidence."""
    return Item(source="events", time_ns=kill.time_ns, text=f"kill: the engine sent {signal_name(kill.signal)}")


def stop_item(case: Case) -> Item:
    """Return the engine's report of a stop on request as evidence."""
    return Item(source="events", time_ns=case.run.stop_ns, text="stop: the engine stopped it on request")


def oom_item(oom: OomKill) -> Item:
    """Return an out-of-memory kill as evidence."""
    return Item(source="kernel log", time_ns=oom.time_ns, text=oom.text)


def stop_signal(case: Case) -> int:
    """Return the signal with which a stop starts."""
    return signal_number(case.container.config.stop_signal or "") or TERM


def victim_is_main(case: Case, oom: OomKill) -> bool:
    """Return whether the process that the kernel killed was the container's first.

    The pid of a running container's main process is known. For an exited one the kernel's table of candidates decides:
    in a container's cgroup the first process is the oldest, and the kernel lists the oldest first.
    """
    if case.main_pid:
        return oom.pid == case.main_pid
    if case.run.ended_ns is not None and case.run.ended_ns - oom.time_ns > 2_000_000_000:
        # A busy engine records the end late; the first in the table of a kill within this run is its first process.
        in_run = case.run.started_ns is not None and oom.time_ns >= case.run.started_ns
        return in_run and not oom.whole_machine and bool(oom.tasks) and oom.tasks[0].pid == oom.pid
    if oom.tasks and not oom.whole_machine:
        return oom.tasks[0].pid == oom.pid
    main = case.container.path.rpartition("/")[2][:15]
    return oom.name == main


def may_have_ended_it(case: Case, kill: KillSent) -> bool:
    """Return whether a signal of the engine may have ended the run: a fatal one, shortly before the end.

    Others, such as SIGHUP, often make a program reload its configuration, and only count if the exit code is theirs.
    """
    if case.run.ended_ns is None or case.run.ended_ns - kill.time_ns > MAX_GRACE_NS:
        return False
    return kill.signal in {*_ENDING, stop_signal(case)} or case.run.code == 128 + kill.signal


def was_asked_to_end(case: Case) -> bool:
    """Return whether the engine was asked to end it (stop, restart, kill)."""
    return case.run.stop_ns is not None or any(may_have_ended_it(case, kill) for kill in case.run.kills)


def was_asked_by_record(case: Case) -> bool:
    """Return whether, without events, the engine's own record shows a request to end it.

    The record is set by every signal sent through the engine, including harmless ones, so the code must be one that a
    stop or kill leaves.
    """
    if not case.asked_to_end or case.signals_told or was_asked_to_end(case):
        return False
    return _code_of_request(case)


def _code_of_request(case: Case) -> bool:
    """Return whether it ended with a code that a stop or kill leaves."""
    return case.run.code in {0, *(128 + signal for signal in (*_ENDING, stop_signal(case)))}


_CODE_WHILE_DOWN = 255
"""Docker Engine's code for containers that ended while it was down."""


MAX_RESTART_NS = 120 * 10**9
"""Maximum time between the end of a run and the engine's start if the previous engine's end caused it."""
MAX_SKEW_NS = 5 * 10**9
"""Maximum difference of a start and an end that are recorded in the wrong order."""


def ended_with_engine(case: Case) -> bool:
    """Return whether the run ended because the engine did: the present engine started after it.

    An engine that shuts down stops its containers as on request, and may still report it; but its own record has no
    request. One that was killed leaves them running, and the next one stops them first, unless it is configured to keep
    them. Without such reports, the end must be shortly before the start, with a code that a stop leaves.
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
    """Return whether it exited with an error and the engine wasn't asked to end it."""
    return has_ended(case) and case.run.code != 0 and not was_asked_to_end(case) and not was_asked_by_record(case)


def is_failing(case: Case) -> bool:
    """Return whether its output may name a cause: it failed on its own, or is unhealthy."""
    if failed_unasked(case):
        return True
    health = case.container.state.health
    return case.run.alive and health is not None and health.status == "unhealthy"
