"""Counters of a living container's cgroup, both versions.

What it uses is read as everywhere in pyd (`pyd_core.linux.cgroup_stats`); here the counters of what went wrong come on
top: Documentation/admin-guide/cgroup-v2.rst (`memory.events`, `pids.events`) and cgroup-v1/memory.rst
(`memory.oom_control`). The cgroup goes when the container ends.
"""

from __future__ import annotations

from pathlib import Path

from pyd_core.linux.cgroup_names import group_named
from pyd_core.linux.cgroup_stats import UNIFIED, GroupReader, read_groups, read_mounts
from pyd_core.triage.evidence import Case, Cgroup, UnavailableSource

TELLS = "peak memory, out-of-memory kills of children, refused forks and CPU throttling of this run"


def collect(case: Case, *, local: bool, root: Path = Path("/")) -> None:
    """Read the counters if the container lives on this machine."""
    if not case.run.alive or not case.container.state.running:
        return
    if not local:
        case.unread.append(
            UnavailableSource(source="cgroup", reason="the engine runs on another machine", would_tell=TELLS)
        )
        return
    case.cgroup = read(case.container.state.pid, case.container.id, root=root)
    if case.cgroup is None:
        case.unread.append(
            UnavailableSource(source="cgroup", reason="its cgroup can't be found or read", would_tell=TELLS)
        )


def read(pid: int, identity: str, *, root: Path = Path("/")) -> Cgroup | None:
    """Read the counters of a container's cgroup; None unless the process is really in a cgroup of that container."""
    directories: dict[str, str] = {}
    mounts = read_mounts(root)
    for name, path in (read_groups(pid, root) or {}).items():
        group = group_named(path, identity)
        if group is not None and name in mounts:
            directories[name] = mounts[name].directory(group)
    used = GroupReader(directories).read() if "cpuacct" in directories or UNIFIED in directories else None
    if used is None:
        return None
    unified = directories.get(UNIFIED, "")
    memory = Path(directories.get("memory", unified))
    pids = Path(directories.get("pids", unified))
    kills = _table(memory / ("memory.oom_control" if "memory" in directories else "memory.events"))
    return Cgroup(
        oom_kills=kills.get("oom_kill"),
        memory_bytes=used.memory,
        memory_peak=used.memory_peak,
        memory_limit=used.memory_limit,
        pids=used.pids,
        pids_limit=_number(pids / "pids.max"),
        pids_refused=_table(pids / "pids.events").get("max"),
        periods=used.periods or 0,
        throttled=used.throttled or 0,
    )


def _table(path: Path) -> dict[str, int]:
    try:
        rows = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
