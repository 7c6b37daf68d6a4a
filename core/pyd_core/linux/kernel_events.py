"""Events in the kernel log about processes: out-of-memory kills, faults, seccomp kills, refused forks.

Formats by kernel: `mm/oom_kill.c` (before 5.0 the cgroup stands in a line of its own, `Task in A killed as a result of
limit of B`), `arch/x86/mm/fault.c` and `arch/x86/kernel/traps.c` for faults, `arch/arm64/kernel/traps.c` for arm64,
`kernel/auditsc.c` (`audit_seccomp`), `kernel/cgroup/pids.c`.
"""

from __future__ import annotations

import re

import msgspec

from pyd_core.linux.kmsg import KernelLog, KernelMessage


class OomTask(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table of processes that an out-of-memory kill prints."""

    pid: int
    uid: int
    rss_pages: int
    name: str


class OomKill(msgspec.Struct, frozen=True, kw_only=True):
    """A process the kernel killed for want of memory."""

    time_ns: int
    pid: int
    """In the host's numbering."""
    name: str
    """At most 15 bytes, as the process calls itself."""
    limit_cgroup: str = ""
    """The cgroup whose limit was hit; empty when the whole machine ran out."""
    task_cgroup: str = ""
    """The victim's cgroup; empty where the kernel doesn't say."""
    anon_bytes: int = 0
    file_bytes: int = 0
    limit_bytes: int | None = None
    tasks: tuple[OomTask, ...] = ()
    """Who was weighed, in the kernel's order."""
    text: str = ""

    @property
    def whole_machine(self) -> bool:
        """Whether no cgroup's limit but the machine's memory ran out."""
        return not self.limit_cgroup


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A process the kernel sent a deadly signal because of what it did."""

    time_ns: int
    pid: int
    name: str
    kind: str
    """`segfault`, `general protection fault`, `invalid opcode`, `divide error`, …"""
    where: str = ""
    """The program or library whose code did it, where the kernel says."""
    address: str = ""
    text: str = ""


class SeccompKill(msgspec.Struct, frozen=True, kw_only=True):
    """A process killed by its seccomp filter."""

    time_ns: int
    pid: int
    name: str
    program: str
    syscall: int
    text: str = ""


class ForkRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A fork that a cgroup's pids limit refused; the kernel logs only the first in each cgroup."""

    time_ns: int
    cgroup: str
    text: str = ""


class KernelEvents(msgspec.Struct, frozen=True, kw_only=True):
    """All of these in a kernel log, oldest first."""

    ooms: tuple[OomKill, ...] = ()
    faults: tuple[Fault, ...] = ()
    seccomp: tuple[SeccompKill, ...] = ()
    forks: tuple[ForkRefused, ...] = ()


_TASK = re.compile(r"\[\s*(\d+)\]\s+(\d+)\s+\d+\s+\d+\s+(\d+)\s.*\s(-?\d+)\s+(.+)$")
_VICTIM = re.compile(r"^(?:\[.*?\] )?(.*?)[,:]? ?(?:Killed|Kill) process (\d+) \((.*?)\)(.*)$")
_ANON = re.compile(r"anon-rss:(\d+)kB")
_FILE = re.compile(r"file-rss:(\d+)kB")
_PATHS = re.compile(r"(oom_memcg|task_memcg)=([^,]*)")
_OLD_PATHS = re.compile(r"^Task in (\S+) killed as a result of limit of (\S+)")
_GROUP = re.compile(r"^Tasks in (\S+) are going to be killed due to memory\.oom\.group set")
_LIMIT = re.compile(r"^memory: usage (\d+)kB, limit (\d+)kB")
_SEGFAULT = re.compile(r"^(.{1,16}?)\[(\d+)\]: segfault at ([0-9a-f]+) .*? error \S+(?: in (.+?)\[)?")
_TRAP = re.compile(
    r"^(?:traps: )?(.{1,16}?)\[(\d+)\] (?:trap )?([a-z][a-z ]+?) ip:[0-9a-f]+ sp:\S+ error:\S+(?: in (.+?)\[)?"
)
_ARM = re.compile(r"^(.{1,16}?)\[(\d+)\]: unhandled (?:exception: |signal )?(.+?)(?: at 0x([0-9a-f]+))?,.*? in (.+?)\[")
_SECCOMP = re.compile(r'type=1326 .*?pid=(\d+) comm=("?)(.*?)\2 (?:exe="?(.*?)"? )?sig=(\d+) .*?syscall=(\d+)')
_FORK = re.compile(r"fork rejected by pids controller in (\S+)")


MAX_EVENTS = 1000
GROUP_NS = 1_000_000_000
"""How long after the line that announces the kill of a whole cgroup its victims' lines may come."""


class EventReader:
    """Takes lines one by one; an out-of-memory report is several, so what came before is kept.

    The kernel describes ten kills in five seconds at most (`oom_kill_process` in `mm/oom_kill.c`); of those that follow
    it names the victim alone. Such a line must not be taken for the end of the report before it.
    """

    def __init__(self) -> None:
        self._ooms: list[OomKill] = []
        self._faults: list[Fault] = []
        self._seccomp: list[SeccompKill] = []
        self._forks: list[ForkRefused] = []
        self._tasks: list[OomTask] = []
        self._paths: dict[str, str] = {}
        self._limit: int | None = None
        self._named = False
        """Whether the report has named its victim."""
        self._group_until_ns = 0

    @property
    def events(self) -> KernelEvents:
        """The events so far; the last `MAX_EVENTS` of each kind."""
        for kind in (self._ooms, self._faults, self._seccomp, self._forks):
            del kind[:-MAX_EVENTS]
        return KernelEvents(
            ooms=tuple(self._ooms),
            faults=tuple(self._faults),
            seccomp=tuple(self._seccomp),
            forks=tuple(self._forks),
        )

    def take(self, record: KernelMessage) -> None:
        """Read a line; most are about something else, so cheap tests come first.

        Messages that programs wrote into the log are no evidence and are ignored.
        """
        if not record.from_kernel:
            return
        text = record.text
        if "Killed process" in text:
            self._kill(record)
        elif "oom" in text or text.startswith(("[", "Task in", "memory: usage")):
            self._report(record)
        elif "segfault at" in text or "error:" in text or "unhandled" in text:
            if (fault := _fault(record)) is not None:
                self._faults.append(fault)
        elif "type=1326" in text:
            if (match := _SECCOMP.search(text)) is not None and match[5] != "0":
                self._seccomp.append(_seccomp(record, match))
        elif "fork rejected" in text and (match := _FORK.search(text)) is not None:
            self._forks.append(ForkRefused(time_ns=record.time_ns, cgroup=match[1], text=text))

    def _reset(self) -> None:
        self._tasks, self._paths, self._limit, self._named = [], {}, None, False

    def _report(self, record: KernelMessage) -> None:
        """A line of an out-of-memory report beside those that name a victim."""
        text = record.text
        if "invoked oom-killer" in text:
            self._reset()
        elif (row := _TASK.match(text)) is not None:
            task = OomTask(pid=int(row[1]), uid=int(row[2]), rss_pages=int(row[3]), name=row[5].strip())
            self._tasks.append(task)
        elif (match := _LIMIT.match(text)) is not None:
            self._limit = int(match[2]) * 1024
        elif text.startswith("oom-kill:"):
            self._paths, self._named = dict(_PATHS.findall(text)), False
        elif (match := _OLD_PATHS.match(text)) is not None:
            self._paths, self._named = {"task_memcg": match[1], "oom_memcg": match[2]}, False
        elif (match := _GROUP.match(text)) is not None:
            self._paths = {"task_memcg": match[1], "oom_memcg": match[1]}
            self._group_until_ns = record.time_ns + GROUP_NS

    def _kill(self, record: KernelMessage) -> None:
        match = _VICTIM.match(record.text)
        if match is None:
            return
        reason, pid, name, rest = match.groups()
        is_candidate = any(task.pid == int(pid) for task in self._tasks)
        if self._named and not is_candidate and record.time_ns > self._group_until_ns:
            self._reset()
        self._named = True
        anon, file = _ANON.search(rest), _FILE.search(rest)
        limit_cgroup = self._paths.get("oom_memcg", "")
        if not limit_cgroup and reason.startswith("Memory cgroup"):
            limit_cgroup = self._paths.get("task_memcg", "") or "?"
        kill = OomKill(
            time_ns=record.time_ns,
            pid=int(pid),
            name=name,
            limit_cgroup=limit_cgroup,
            task_cgroup=self._paths.get("task_memcg", ""),
            anon_bytes=int(anon[1]) * 1024 if anon else 0,
            file_bytes=int(file[1]) * 1024 if file else 0,
            limit_bytes=self._limit,
            tasks=tuple(self._tasks),
            text=record.text,
        )
        self._ooms.append(kill)


def find_events(log: KernelLog) -> KernelEvents:
    """Find them in a log."""
    reader = EventReader()
    for record in log.records:
        reader.take(record)
    return reader.events


def _fault(record: KernelMessage) -> Fault | None:
    text = record.text
    if (match := _SEGFAULT.match(text)) is not None:
        name, pid, address, where = match.groups()
        kind = "segfault"
    elif (match := _TRAP.match(text)) is not None:
        name, pid, kind, where = match.groups()
        address = ""
    elif (match := _ARM.match(text)) is not None:
        name, pid, kind, address, where = match.groups()
    else:
        return None
    return Fault(
        time_ns=record.time_ns,
        pid=int(pid),
        name=name.strip(),
        kind=kind.strip(),
        where=(where or "").strip(),
        address=address or "",
        text=text,
    )


def _seccomp(record: KernelMessage, match: re.Match[str]) -> SeccompKill:
    return SeccompKill(
        time_ns=record.time_ns,
        pid=int(match[1]),
        name=match[3],
        program=match[4] or "",
        syscall=int(match[6]),
        text=record.text,
    )
