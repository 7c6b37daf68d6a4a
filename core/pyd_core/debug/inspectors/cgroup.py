"""The target's use of its limits, cgroup version 1 or 2 (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/)."""

from __future__ import annotations

from typing import Any

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.processes import require_running
from pyd_core.errors import PydError
from pyd_core.linux.cgroup_stats import UNLIMITED


class CgroupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Counters since the group was made; None where the kernel doesn't count it or sets no limit. Bytes and seconds."""

    version: int
    """Of the memory controller: 1 or 2."""
    memory: int | None = None
    """With the file cache."""
    cache: int | None = None
    """File cache that can be dropped at once."""
    memory_limit: int | None = None
    memory_peak: int | None = None
    memory_refused: int | None = None
    """How often the limit was hit."""
    oom_kills: int | None = None
    under_oom: bool = False
    swap: int | None = None
    cpu_seconds: float | None = None
    cpu_limit: float | None = None
    """Processors."""
    periods: int | None = None
    throttled: int | None = None
    """In how many of the periods it was held back."""
    throttled_seconds: float | None = None
    pids: int | None = None
    pids_limit: int | None = None
    pids_refused: int | None = None
    """How often a new process or thread was refused."""
    read: int | None = None
    written: int | None = None
    pressure: dict[str, float] = {}
    """`cpu`, `memory`, `io`: percent of the last minute in which something waited (version 2)."""

    @property
    def throttled_share(self) -> float:
        """In what part of the periods it was held back."""
        return self.throttled / self.periods if self.throttled and self.periods else 0.0


def read_cgroup(access: Access) -> CgroupFacts:
    """Read the target's group in each controller.

    Raises:
        Conflict: The target doesn't run.
    """
    require_running(access)
    files = _Files(access)
    version = 1 if files.text("memory", "memory.usage_in_bytes") else 2
    memory = _memory_v1(files) if version == 1 else _memory_v2(files)
    throttling = files.table("cpu", "cpu.stat")
    return CgroupFacts(
        version=version,
        **memory,
        **_cpu(files, throttling),
        pids=files.number("pids", "pids.current"),
        pids_limit=files.number("pids", "pids.max"),
        pids_refused=files.table("pids", "pids.events").get("max"),
        **_blocks(files),
        pressure={kind: share for kind in ("cpu", "memory", "io") if (share := files.pressure(kind)) is not None},
    )


class _Files:
    """A group's files; missing ones are empty."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def text(self, controller: str, name: str) -> str:
        try:
            return self._access.cgroup(controller, name).decode(errors="replace")
        except PydError:
            return ""

    def number(self, controller: str, name: str) -> int | None:
        text = self.text(controller, name).strip()
        return int(text) if text.isdigit() and int(text) < UNLIMITED else None

    def table(self, controller: str, name: str) -> dict[str, int]:
        rows = (line.split() for line in self.text(controller, name).splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}

    def pressure(self, kind: str) -> float | None:
        for word in self.text(kind, f"{kind}.pressure").partition("\n")[0].split():
            if word.startswith("avg60="):
                return float(word[6:])
        return None


def _memory_v1(files: _Files) -> dict[str, Any]:
    control, stat = files.table("memory", "memory.oom_control"), files.table("memory", "memory.stat")
    return {
        "memory": files.number("memory", "memory.usage_in_bytes"),
        "cache": stat.get("total_inactive_file"),
        "memory_limit": files.number("memory", "memory.limit_in_bytes"),
        "memory_peak": files.number("memory", "memory.max_usage_in_bytes"),
        "memory_refused": files.number("memory", "memory.failcnt"),
        "oom_kills": control.get("oom_kill"),
        "under_oom": bool(control.get("under_oom")),
        "swap": stat.get("total_swap"),
    }


def _memory_v2(files: _Files) -> dict[str, Any]:
    events = files.table("memory", "memory.events")
    return {
        "memory": files.number("memory", "memory.current"),
        "cache": files.table("memory", "memory.stat").get("inactive_file"),
        "memory_limit": files.number("memory", "memory.max"),
        "memory_peak": files.number("memory", "memory.peak"),
        "memory_refused": events.get("max"),
        "oom_kills": events.get("oom_kill"),
        "swap": files.number("memory", "memory.swap.current"),
    }


def _cpu(files: _Files, stat: dict[str, int]) -> dict[str, Any]:
    used = files.number("cpuacct", "cpuacct.usage")
    seconds = used / 1e9 if used is not None else stat["usage_usec"] / 1e6 if "usage_usec" in stat else None
    quota, period = files.number("cpu", "cpu.cfs_quota_us"), files.number("cpu", "cpu.cfs_period_us")
    words = files.text("cpu", "cpu.max").split()
    if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
        quota, period = int(words[0]), int(words[1])
    held = stat.get("throttled_time", 0) / 1e9 or stat.get("throttled_usec", 0) / 1e6
    return {
        "cpu_seconds": seconds,
        "cpu_limit": quota / period if quota and period else None,
        "periods": stat.get("nr_periods"),
        "throttled": stat.get("nr_throttled"),
        "throttled_seconds": held if "nr_throttled" in stat else None,
    }


def _blocks(files: _Files) -> dict[str, Any]:
    text = files.text("blkio", "blkio.throttle.io_service_bytes_recursive")
    if text:
        rows = [line.split() for line in text.splitlines()]
        totals = {
            way: sum(int(row[2]) for row in rows if len(row) == 3 and row[1] == way and row[2].isdigit())
            for way in ("Read", "Write")
        }
        return {"read": totals["Read"], "written": totals["Write"]}
    words = files.text("io", "io.stat").split()
    if not words:
        return {"read": None, "written": None}
    return {
        name: sum(int(word[7:]) for word in words if word.startswith(key) and word[7:].isdigit())
        for name, key in (("read", "rbytes="), ("written", "wbytes="))
    }
