"""The kernel log's lines about a container."""

from __future__ import annotations

import msgspec

from pyd_core.errors import PydError
from pyd_core.linux.cgroup_names import group_named
from pyd_core.linux.kernel_events import EventReader, Fault, KernelEvents, OomKill, SeccompKill
from pyd_core.linux.kmsg import KernelLog, KernelLogReader, kernel_log
from pyd_core.model.base import parse_time
from pyd_core.triage.evidence import Case, UnavailableSource

TELLS = "out-of-memory kills with their victim, faults with the object they happened in, seccomp kills"

SLACK_NS = 2_000_000_000
"""The kernel log's clock and the engine's agree only roughly."""
FIRST_NS = 10_000_000_000
"""How soon after it was created a run begins that is surely the container's first."""
NEAR_NS = 1_500_000_000
"""How near a death a fault must lie to be taken for its cause when the process's name doesn't tell."""


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel log, or the reason why it could not be read."""

    log: KernelLog = KernelLog()
    """How far it reaches; only its first record is kept."""
    events: KernelEvents = KernelEvents()
    refused: str = ""


class KernelWatch:
    """This machine's kernel log, read as far as it has come at each look."""

    def __init__(self) -> None:
        self._reader: KernelLogReader | None = None
        self._events = EventReader()
        self._log: KernelLog | None = None

    def look(self) -> Kernel:
        """Read on and return all that was found so far."""
        try:
            if self._reader is None:
                self._reader = KernelLogReader()
            records = self._reader.read()
        except PydError as error:
            return Kernel(refused=error.message)
        for record in records:
            self._events.take(record)
        if self._log is None:
            self._log = kernel_log(records[:1])
        return Kernel(log=self._log, events=self._events.events)

    def close(self) -> None:
        """Give the log back."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def read() -> Kernel:
    """Read all it holds now."""
    watch = KernelWatch()
    try:
        return watch.look()
    finally:
        watch.close()


def elsewhere() -> Kernel:
    """Stand for that of another machine."""
    return Kernel(refused="the engine runs on another machine")


def collect(case: Case, kernel: Kernel) -> None:
    """Take the lines that concern the judged run."""
    run = case.run
    if kernel.refused:
        case.unread.append(UnavailableSource(source="kernel log", reason=kernel.refused, would_tell=TELLS))
        return
    begin = run.started_ns or parse_time(case.container.created) or 0
    if not kernel.log.covers(begin) and not (run.ended_ns is not None and kernel.log.covers(run.ended_ns - SLACK_NS)):
        reason = "the kernel log is already overwritten for that time"
        case.unread.append(UnavailableSource(source="kernel log", reason=reason, would_tell=TELLS))
        return
    case.kernel_read = True
    end = run.ended_ns or case.now_ns
    identity = case.container.id

    def within(time_ns: int) -> bool:
        return begin - SLACK_NS <= time_ns <= end + SLACK_NS

    events = kernel.events
    own = [
        oom for oom in events.ooms if any(group_named(group, identity) for group in (oom.task_cgroup, oom.limit_cgroup))
    ]
    case.ooms = tuple(oom for oom in own if within(oom.time_ns)) or _of_another_clock(case, own)
    if not case.ooms:
        _claim(case, [oom for oom in events.ooms if not oom.task_cgroup and within(oom.time_ns)])
    case.forks = tuple(fork for fork in events.forks if within(fork.time_ns) and group_named(fork.cgroup, identity))
    if run.alive or run.ended_ns is None:
        return
    names = _names(case)
    case.faults = tuple(fault for fault in events.faults if within(fault.time_ns) and _belongs(fault, names, end))
    case.seccomp = tuple(kill for kill in events.seccomp if within(kill.time_ns) and _belongs(kill, names, end))


def _claim(case: Case, nameless: list[OomKill]) -> None:
    """Look at kills of which the kernel left out the cgroup, as it does when there are many at once.

    One is this container's where the engine saw a kill in it at that time and the victim is called as one of its
    programs. Where one at the end, or at the engine's word, is ambiguous, the log is no evidence against a kill either.
    """
    reported, names, ended = case.run.ooms, _names(case), case.run.ended_ns
    seen = [oom for oom in nameless if any(abs(oom.time_ns - time_ns) <= NEAR_NS for time_ns in reported)]
    if not seen and not (ended and any(abs(oom.time_ns - ended) <= SLACK_NS for oom in nameless)):
        return
    case.ooms = tuple(oom for oom in seen if oom.name in names)
    case.kernel_read = bool(case.ooms)
    reason = "it left out in which container it killed for memory, as it does when there are many kills at once"
    would_tell = "which process was killed for memory, if any"
    case.unread.append(UnavailableSource(source="kernel log", reason=reason, would_tell=would_tell))


def _of_another_clock(case: Case, own: list[OomKill]) -> tuple[OomKill, ...]:
    """Take kills whose time lies outside of the container's only run: the clock was set since, and theirs goes by it.

    The kernel stamps by a clock that is never set, which is turned into time by what the other says now.
    """
    run = case.run
    created = parse_time(case.container.created)
    if not own or run.ended_ns is None or run.started_ns is None or created is None or case.container.restart_count:
        return ()
    if run.started_ns - created > FIRST_NS or len(case.runs) > 1:
        return ()
    reason = "its times and the engine's don't agree: the clock was set meanwhile"
    case.unread.append(
        UnavailableSource(source="kernel log", reason=reason, would_tell="when exactly the kills happened")
    )
    apart = run.ended_ns - own[-1].time_ns
    return tuple(msgspec.structs.replace(oom, time_ns=oom.time_ns + apart) for oom in own)


def _belongs(event: Fault | SeccompKill, names: set[str], end_ns: int) -> bool:
    """Fault lines carry no cgroup: the process's name, or at least the moment, has to fit."""
    near = abs(event.time_ns - end_ns) <= NEAR_NS
    return near and (event.name in names or not names)


def _names(case: Case) -> set[str]:
    """Return possible names of its processes: the programs on its command line, at most 15 bytes each."""
    words = [case.container.path, *case.container.args]
    parts = " ".join(words).replace(";", " ").replace("&", " ").split()
    return {name[:15] for part in parts if (name := part.rstrip("/").rpartition("/")[2])}
