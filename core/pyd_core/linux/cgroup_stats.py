"""What a control group uses, read from its files: cgroup v2, v1 with a hierarchy for each controller, or both mixed.

Formats: `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/` of the kernel, cgroups(7), proc_pid_mountinfo(5).
Reading is by bytes and without buffering: a dashboard reads some thousand of these files a second.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

UNIFIED = ""
"""The name under which /proc/PID/cgroup and this module keep the v2 hierarchy."""

UNLIMITED = 2**62
"""From here on a v1 limit means none: the kernel's own "no limit" is 2^63 less a page."""

_CONTROLLERS = ("cpuacct", "cpu", "memory", "pids", "blkio")


class Counters(NamedTuple):
    """One reading of a group; None where the kernel doesn't count it here."""

    cpu_ns: int
    """Processor time used, nanoseconds, over all processors."""
    periods: int | None
    """Quota periods in which it wanted to run, and in how many it was held back."""
    throttled: int | None
    memory: int | None
    """Bytes, without the file cache that can be dropped at once (inactive_file), as the docker CLI counts."""
    memory_limit: int | None
    """Bytes; None where there is none, or none below the host's memory."""
    memory_peak: int | None
    """Bytes, with all file cache."""
    pids: int | None
    block_read: int | None
    """Bytes since the group was made."""
    block_write: int | None


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted hierarchy: where, and which of its groups appears there."""

    point: str
    root: str

    def directory(self, group: str) -> str:
        """The directory of a group named as in /proc/PID/cgroup."""
        below = posixpath.relpath(group, self.root) if self.root != "/" else group.lstrip("/")
        return posixpath.join(self.point, below)


def read_mounts(root: Path = Path("/")) -> dict[str, Mount]:
    """Finds the mounted hierarchies: by controller for v1, `UNIFIED` for v2.

    Args:
        root: Where `proc` and `sys` are looked for.
    """
    mounts: dict[str, Mount] = {}
    try:
        lines = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return mounts
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
            continue
        mount = Mount(str(root) + _unescaped(fields[4]) if root != Path("/") else _unescaped(fields[4]), fields[3])
        for name in [UNIFIED] if kind[0] == "cgroup2" else kind[2].split(","):
            mounts.setdefault(name, mount)
    return mounts


def read_groups(pid: int, root: Path = Path("/")) -> dict[str, str] | None:
    """Reads the groups of a process: by controller for v1, `UNIFIED` for v2; None when there is no such process."""
    try:
        text = (root / f"proc/{pid}/cgroup").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    groups: dict[str, str] = {}
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            for name in parts[1].split(","):
                groups[name] = parts[2]
    return groups


def group_named(path: str, name: str) -> str | None:
    """Cuts a group's path after the first component that holds `name`; None when none does.

    Engines put a container's id there (`docker-ID.scope`, `/docker/ID`, `libpod-ID.scope`), and what runs inside may
    make groups below it.
    """
    parts = path.split("/")
    for place, part in enumerate(parts):
        if name in part:
            return "/".join(parts[: place + 1])
    return None


class GroupReader:
    """Reads one group's counters again and again.

    Args:
        directories: Its directory in each hierarchy, by controller for v1 and under `UNIFIED` for v2.
        host_memory: Bytes; limits from there on are none.
    """

    def __init__(self, directories: dict[str, str], host_memory: int | None = None) -> None:
        self._v1 = {name: directories[name] for name in _CONTROLLERS if name in directories}
        self._unified = directories.get(UNIFIED)
        self._host_memory = physical_memory() if host_memory is None else host_memory

    def read(self) -> Counters | None:
        """Reads all counters; None when the group is gone."""
        cpu = self._cpu_v1() if "cpuacct" in self._v1 else self._cpu_v2()
        if cpu is None:
            return None
        periods, throttled = self._throttling()
        memory, limit, peak = self._memory_v1() if "memory" in self._v1 else self._memory_v2()
        pids = _number(_read(f"{self._v1.get('pids', self._unified)}/pids.current"))
        read, write = self._block_v1() if "blkio" in self._v1 else self._block_v2()
        if limit is not None and limit >= self._host_memory:
            limit = None
        return Counters(cpu, periods, throttled, memory, limit, peak, pids, read, write)

    def _cpu_v1(self) -> int | None:
        return _number(_read(f"{self._v1['cpuacct']}/cpuacct.usage"))

    def _cpu_v2(self) -> int | None:
        used = _field(_read(f"{self._unified}/cpu.stat"), b"usage_usec ")
        return None if used is None else used * 1000

    def _throttling(self) -> tuple[int | None, int | None]:
        text = _read(f"{self._v1.get('cpu', self._unified)}/cpu.stat")
        return _field(text, b"nr_periods "), _field(text, b"nr_throttled ")

    def _memory_v1(self) -> tuple[int | None, int | None, int | None]:
        where = self._v1["memory"]
        used = _number(_read(f"{where}/memory.usage_in_bytes"))
        cache = _field(_read(f"{where}/memory.stat"), b"total_inactive_file ")
        limit = _number(_read(f"{where}/memory.limit_in_bytes"))
        peak = _number(_read(f"{where}/memory.max_usage_in_bytes"))
        return _without(used, cache), None if limit is None or limit >= UNLIMITED else limit, peak

    def _memory_v2(self) -> tuple[int | None, int | None, int | None]:
        used = _number(_read(f"{self._unified}/memory.current"))
        cache = _field(_read(f"{self._unified}/memory.stat"), b"inactive_file ")
        limit = _number(_read(f"{self._unified}/memory.max"))
        return _without(used, cache), limit, _number(_read(f"{self._unified}/memory.peak"))

    def _block_v1(self) -> tuple[int | None, int | None]:
        text = _read(f"{self._v1['blkio']}/blkio.throttle.io_service_bytes_recursive")
        if text is None:
            text = _read(f"{self._v1['blkio']}/blkio.throttle.io_service_bytes")
        if text is None:
            return None, None
        totals = {b"Read": 0, b"Write": 0}
        for line in text.splitlines():
            parts = line.split()
            if len(parts) == 3 and parts[1] in totals:
                totals[parts[1]] += _number(parts[2]) or 0
        return totals[b"Read"], totals[b"Write"]

    def _block_v2(self) -> tuple[int | None, int | None]:
        text = _read(f"{self._unified}/io.stat")
        if text is None:
            return None, None
        read = write = 0
        for part in text.split():
            if part.startswith(b"rbytes="):
                read += _number(part[7:]) or 0
            elif part.startswith(b"wbytes="):
                write += _number(part[7:]) or 0
        return read, write


def physical_memory() -> int:
    """The host's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _read(path: str) -> bytes | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(handle, 1 << 16)
    except OSError:
        return None  # the group was removed in between
    finally:
        os.close(handle)


def _number(text: bytes | None) -> int | None:
    """A whole number; None for `max`, nothing and nonsense."""
    if text is None:
        return None
    text = text.strip()
    return int(text) if text.isdigit() and len(text) < 20 else None


def _field(text: bytes | None, name: bytes) -> int | None:
    """The number after a name at the beginning of a line."""
    if text is None:
        return None
    start = 0 if text.startswith(name) else text.find(b"\n" + name) + 1
    if start == 0 and not text.startswith(name):
        return None
    start += len(name)
    end = text.find(b"\n", start)
    return _number(text[start : end if end >= 0 else len(text)])


def _without(used: int | None, cache: int | None) -> int | None:
    if used is None or cache is None:
        return used
    return used - cache if cache < used else used


def _unescaped(path: str) -> str:
    """Undoes the octal escapes of mountinfo."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, character)
    return path
