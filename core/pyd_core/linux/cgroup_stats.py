"""Counters of control groups: cgroup v2, v1 with a hierarchy per controller, or both mixed.

Formats: `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/` of the kernel, cgroups(7), proc_pid_mountinfo(5).
Files are read as bytes and without buffering: a dashboard reads about a thousand of them per second.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

UNIFIED = ""
"""The name of the v2 hierarchy in /proc/PID/cgroup, and here."""

UNLIMITED = 2**62
"""From here on a v1 limit means none: the kernel's own "no limit" is 2^63 less a page."""


class Counters(NamedTuple):
    """Counters of a control group at one point in time; None for those that the kernel doesn't provide."""

    cpu_ns: int
    """Processor time used, nanoseconds, over all processors."""
    periods: int | None
    """Quota periods in which the group had something to run."""
    throttled: int | None
    """Quota periods in which the group was throttled."""
    memory: int | None
    """Bytes, without the file cache that can be dropped at once (inactive_file), as the docker CLI counts."""
    memory_limit: int | None
    """Bytes; None without a limit below the host's memory."""
    memory_peak: int | None
    """Bytes, with all file cache."""
    pids: int | None
    block_read: int | None
    """Bytes read from block devices since the group was created."""
    block_write: int | None
    """Bytes written to block devices since the group was created."""


@dataclass(frozen=True, slots=True)
class CgroupMount:
    """A mounted hierarchy: its mount point and the group that appears there."""

    point: str
    root: str

    def directory(self, group: str) -> str:
        """Return the directory of a group named as in /proc/PID/cgroup."""
        below = posixpath.relpath(group, self.root) if self.root != "/" else group.lstrip("/")
        return posixpath.join(self.point, below)


def read_mounts(root: Path = Path("/")) -> dict[str, CgroupMount]:
    """Find the mounted hierarchies: by controller for v1, `UNIFIED` for v2.

    Args:
        root: Where `proc` and `sys` are looked for.
    """
    mounts: dict[str, CgroupMount] = {}
    try:
        lines = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return mounts
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
            continue
        mount = CgroupMount(str(root) + _unescape(fields[4]) if root != Path("/") else _unescape(fields[4]), fields[3])
        for name in [UNIFIED] if kind[0] == "cgroup2" else kind[2].split(","):
            mounts.setdefault(name, mount)
    return mounts


def read_groups(pid: int, root: Path = Path("/")) -> dict[str, str] | None:
    """Read the groups of a process: by controller for v1, `UNIFIED` for v2; None when there is no such process."""
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


class CounterFile:
    """A file that is read repeatedly.

    Reading a file that is kept open takes a sixth of the time: most of the work is opening it. An open file of a
    control group doesn't keep the group from being removed.
    """

    __slots__ = ("_handle", "_keep_open", "_path")

    def __init__(self, path: str, *, keep_open: bool) -> None:
        self._path = path
        self._keep_open = keep_open
        self._handle = -1

    def read(self) -> bytes | None:
        """Return the contents; None when there is no such file, or its group was removed."""
        handle = self._handle
        try:
            if handle < 0:
                handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                if self._keep_open:
                    self._handle = handle
            return os.pread(handle, 1 << 16, 0)
        except OSError:
            return None
        finally:
            if handle >= 0 and self._handle < 0:
                os.close(handle)

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


READINGS_PER_SLOW_READ = 10
"""Limit and peak are only read this often, as is the memory of groups whose processes don't run: they change rarely,
and the kernel computes some of them."""

MAX_FILES = 6
"""Maximum number of descriptors that a reader keeps."""

MAX_BRIEF_FILES = 3
"""Maximum number of descriptors that a reader keeps for brief readings."""


class GroupReader:
    """Reads one group's counters again and again.

    Args:
        directories: Its directory in each hierarchy, by controller for v1 and under `UNIFIED` for v2.
        host_memory: Bytes; limits from there on are none.
        keep_open: Keep the files that are read each time open, up to `MAX_FILES`; `close` gives them back.
    """

    def __init__(self, directories: dict[str, str], *, host_memory: int | None = None, keep_open: bool = False) -> None:
        unified = directories.get(UNIFIED, "")
        self._host_memory = physical_memory() if host_memory is None else host_memory
        self._memory_is_v1 = "memory" in directories
        self._blocks_are_v1 = "blkio" in directories
        self._cpu_is_v1 = "cpuacct" in directories
        memory, block = directories.get("memory", unified), directories.get("blkio", unified)
        pids, cpu = directories.get("pids", unified), directories.get("cpu", unified)

        def file(directory: str, name: str, *, keep_open: bool = keep_open) -> CounterFile:
            return CounterFile(f"{directory}/{name}", keep_open=keep_open)

        self._cpu = file(cpu, "cpu.stat")
        self._used_cpu = file(directories["cpuacct"], "cpuacct.usage") if self._cpu_is_v1 else self._cpu
        self._memory = file(memory, "memory.usage_in_bytes" if self._memory_is_v1 else "memory.current")
        self._memory_stat = file(memory, "memory.stat")
        self._limit = file(memory, "memory.limit_in_bytes" if self._memory_is_v1 else "memory.max", keep_open=False)
        self._peak = file(memory, "memory.max_usage_in_bytes" if self._memory_is_v1 else "memory.peak", keep_open=False)
        self._pids = file(pids, "pids.current")
        self._block = file(block, "blkio.throttle.io_service_bytes_recursive" if self._blocks_are_v1 else "io.stat")
        self._readings = 0
        self._last_cpu_ns = -1
        self._memory_and_pids: tuple[int | None, int | None] = (None, None)
        self._has_pids = False
        self._limit_and_peak: tuple[int | None, int | None] = (None, None)

    def close(self) -> None:
        """Give the descriptors back; a later reading opens them again."""
        for file in (self._cpu, self._used_cpu, self._memory, self._memory_stat, self._pids, self._block):
            file.close()

    def close_details(self) -> None:
        """Give the descriptors back that brief readings don't use."""
        for file in (self._cpu,) if self._cpu_is_v1 else ():
            file.close()
        self._pids.close()
        self._block.close()

    def read(self, *, brief: bool = False) -> Counters | None:
        """Read all counters, or only processor time and memory; None when the group is gone."""
        stat = self._cpu.read() if not (brief and self._cpu_is_v1) else None
        if self._cpu_is_v1:
            cpu_ns = _number(self._used_cpu.read())
        else:
            used = _field(stat, b"usage_usec ")
            cpu_ns = None if used is None else used * 1000
        if cpu_ns is None:
            return None
        is_slow_due = self._readings % READINGS_PER_SLOW_READ == 0
        # Processes that haven't run have neither allocated memory nor forked: only reclaim by the kernel is missed.
        if is_slow_due or cpu_ns != self._last_cpu_ns or not (brief or self._has_pids):
            self._has_pids = not brief
            self._memory_and_pids = self._read_memory(), None if brief else _number(self._pids.read())
        self._last_cpu_ns = cpu_ns
        memory, pids = self._memory_and_pids
        if is_slow_due:
            self._limit_and_peak = self._read_limit(), _number(self._peak.read())
        self._readings += 1
        if brief:
            limit, peak = self._limit_and_peak
            return Counters(cpu_ns, None, None, memory, limit, peak, None, None, None)
        blocks = self._block.read()
        read, write = _blocks_v1(blocks) if self._blocks_are_v1 else _blocks_v2(blocks)
        return Counters(
            cpu_ns=cpu_ns,
            periods=_field(stat, b"nr_periods "),
            throttled=_field(stat, b"nr_throttled "),
            memory=memory,
            memory_limit=self._limit_and_peak[0],
            memory_peak=self._limit_and_peak[1],
            pids=pids,
            block_read=read,
            block_write=write,
        )

    def _read_memory(self) -> int | None:
        cache = _field(self._memory_stat.read(), b"total_inactive_file " if self._memory_is_v1 else b"inactive_file ")
        return _without(_number(self._memory.read()), cache)

    def _read_limit(self) -> int | None:
        limit = _number(self._limit.read())
        return None if limit is None or limit >= min(UNLIMITED, self._host_memory) else limit


def _blocks_v1(text: bytes | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    totals = {b"Read": 0, b"Write": 0}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1] in totals:
            totals[parts[1]] += _number(parts[2]) or 0
    return totals[b"Read"], totals[b"Write"]


def _blocks_v2(text: bytes | None) -> tuple[int | None, int | None]:
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
    """Return the host's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _number(text: bytes | None) -> int | None:
    """Parse a number; None for `max`, empty and invalid text."""
    if text is None:
        return None
    text = text.strip()
    return int(text) if text.isdigit() and len(text) < 20 else None


def _field(text: bytes | None, name: bytes) -> int | None:
    """Return the number after a name at the start of a line."""
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


def _unescape(path: str) -> str:
    """Undo the octal escapes of mountinfo."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, character)
    return path
