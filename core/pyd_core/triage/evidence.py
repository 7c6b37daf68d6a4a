"""Evidence: items to show, and typed facts that rules test.

Rules test facts, never the text of an item: an application's output can imitate any sentence, but not the field of
another source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from pyd_core.linux.kernel_events import Fault, ForkRefused, OomKill, SeccompKill
from pyd_core.model.container import Container
from pyd_core.model.event import Event
from pyd_core.triage.codes import signal_of

if TYPE_CHECKING:
    from pyd_core.triage.pods.facts import PodFacts  # noqa: TC004 - it imports this module

Source = Literal["inspect", "events", "kernel log", "cgroup", "log", "image", "health", "host", "history", "engine"]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence as it is shown."""

    source: str
    text: str
    time_ns: int | None = None
    """Nanoseconds since the epoch."""


class UnavailableSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that couldn't be read, and what it would have shown."""

    source: str
    reason: str
    would_tell: str


class KillSent(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that the engine was asked to send."""

    signal: int
    time_ns: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a container, from start to death."""

    started_ns: int | None = None
    ended_ns: int | None = None
    """None while it runs."""
    code: int | None = None
    kills: tuple[KillSent, ...] = ()
    stop_ns: int | None = None
    """When the engine reported that it was stopped on request."""
    ooms: tuple[int, ...] = ()
    """When the engine reported an out-of-memory kill inside it."""
    complete: bool = False
    """Whether the engine still remembered this run's events from its start on."""

    @property
    def alive(self) -> bool:
        """Whether it hasn't ended."""
        return self.ended_ns is None

    @property
    def signal(self) -> int | None:
        """The signal its exit code stands for, if it stands for one."""
        return None if self.code is None else signal_of(self.code)

    @property
    def seconds(self) -> float | None:
        """The duration of the run; None if it isn't known."""
        if self.started_ns is None or self.ended_ns is None:
            return None
        return max(0.0, (self.ended_ns - self.started_ns) / 1e9)

    def sent(self, signal: int) -> KillSent | None:
        """The first time the engine sent that signal in this run."""
        return next((kill for kill in self.kills if kill.signal == signal), None)


class EvidenceLogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the container's output."""

    stream: str
    text: str
    time_ns: int | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A line of output in which the program names an error."""

    cause: str
    line: EvidenceLogLine
    subject: str = ""
    """The path, host, port or variable that it names."""
    strength: float = 0.6

    @property
    def item(self) -> Item:
        """The line, to show."""
        if self.line.stream == "health":
            return Item(source="health", time_ns=self.line.time_ns, text=f"the probe says: {self.line.text}")
        return Item(source="log", time_ns=self.line.time_ns, text=f"{self.line.stream}: {self.line.text}")


class StartFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's reason for a failed start."""

    cause: str
    subject: str = ""
    message: str = ""
    item: Item


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """The program file of the container, in its image or a mount over it."""

    path: str
    """As configured."""
    resolved: str = ""
    """Its path with symlinks followed; empty if it is missing."""
    kind: Literal["", "elf", "script", "directory", "plain"] = ""
    executable: bool = True
    architecture: str = ""
    host_architecture: str = ""
    emulated: bool = False
    """Whether the host has an emulator registered for that architecture."""
    interpreter: str = ""
    """A script's interpreter or an ELF file's loader."""
    interpreter_found: bool = True
    crlf: bool = False
    """Whether the first line of a script ends in CR LF, which makes the interpreter's name wrong."""
    missing_libraries: tuple[str, ...] = ()
    user_known: bool | None = None
    """Whether the configured user stands in the image's passwd; None when it is a number or wasn't looked up."""
    workdir_found: bool | None = None


class Cgroup(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of the container's cgroup, since the cgroup was made for this run."""

    oom_kills: int | None = None
    memory_bytes: int | None = None
    """As engines show it: without the page cache that can be given back."""
    memory_peak: int | None = None
    memory_limit: int | None = None
    pids: int | None = None
    pids_limit: int | None = None
    pids_refused: int | None = None
    periods: int = 0
    throttled: int = 0

    @property
    def throttled_ratio(self) -> float:
        """The share of scheduling periods in which the CPU limit held it back."""
        return self.throttled / self.periods if self.periods else 0.0


class FileSystem(msgspec.Struct, frozen=True, kw_only=True):
    """Room on a file system the container writes to."""

    name: str
    """What of the container lies there: `engine data`, or a mount's destination."""
    path: str
    size: int
    free: int
    """Bytes an ordinary user may still take."""
    inodes: int
    inodes_free: int

    @property
    def full(self) -> bool:
        """Less than 1 % and less than 256 MiB free."""
        return self.size > 0 and self.free < min(self.size * 0.01, 256 * 2**20)

    @property
    def out_of_inodes(self) -> bool:
        """Less than 1 in 1000 free; file systems without fixed inodes report none at all."""
        return self.inodes > 0 and self.inodes_free < self.inodes * 0.001


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The machine the engine runs on."""

    architecture: str = ""
    memory_bytes: int = 0
    file_systems: tuple[FileSystem, ...] = ()
    engine_started_ns: int | None = None
    outlived: bool = False
    """Whether containers outlive the engine, so that a run may continue under the next one."""


class NetworkPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Another container of the engine that a name could mean."""

    name: str
    names: frozenset[str]
    """Its name, its aliases and its service's name."""
    networks: tuple[str, ...] = ()


class Case(msgspec.Struct, kw_only=True):
    """All evidence about a container. Collectors fill it; rules only read it."""

    container: Container
    now_ns: int
    tool: str = "docker"
    """The engine's own command, `docker` or `podman`: what it tells and leaves out differs."""
    architecture: str = ""
    """Of the engine's machine, as images name it."""
    run: Run = Run()
    """The run the verdict is about: the present one, or the last death of one that keeps restarting."""
    main_pid: int = 0
    """The run's first process on the engine's host; 0 if it was not recorded before its end."""
    runs: tuple[Run, ...] = ()
    """What the engine remembers, oldest first."""
    events: tuple[Event, ...] | None = None
    """This container's, oldest first; None when they couldn't be read."""
    daemon_started: bool = False
    ooms: tuple[OomKill, ...] = ()
    faults: tuple[Fault, ...] = ()
    seccomp: tuple[SeccompKill, ...] = ()
    forks: tuple[ForkRefused, ...] = ()
    kernel_read: bool = False
    """Whether the kernel log was read and reaches back over the run."""
    lines: tuple[EvidenceLogLine, ...] | None = None
    findings: tuple[Evidence, ...] = ()
    start_failure: StartFailure | None = None
    program: Program | None = None
    cgroup: Cgroup | None = None
    host: HostFacts | None = None
    owners: dict[str, int] = {}
    """Who owns what is mounted: destination → uid."""
    asked_to_end: bool | None = None
    """Whether the engine's own record says that it was asked to stop or kill it; None where that can't be read."""
    absent: tuple[str, ...] = ()
    """Paths of the host that should be mounted and aren't there."""
    peers: tuple[NetworkPeer, ...] = ()
    pod: PodFacts | None = None
    """The container's pod, on a cluster."""
    unread: list[UnavailableSource] = []

    @property
    def name(self) -> str:
        """The container's name."""
        return self.container.name or self.container.id[:12]

    @property
    def limit(self) -> int | None:
        """The memory limit in bytes, if there is one."""
        return self.container.host_config.memory or None

    @property
    def signals_told(self) -> bool:
        """Whether the events would hold every signal the engine sent in this run; Podman tells none."""
        return self.run.complete and self.tool == "docker"

    @property
    def missing_sources(self) -> frozenset[str]:
        """The sources that couldn't be read."""
        return frozenset(entry.source for entry in self.unread)

    def findings_of(self, *causes: str) -> tuple[Evidence, ...]:
        """Return the lines of output that point to one of these causes."""
        return tuple(finding for finding in self.findings if finding.cause in causes)
