"""Counters of a living container's cgroup, both versions.

Sources: Documentation/admin-guide/cgroup-v2.rst (`memory.events`, `memory.peak`, `cpu.stat`, `pids.events`) and
cgroup-v1/memory.rst (`memory.oom_control`, `memory.max_usage_in_bytes`). The cgroup goes when the container ends.
"""

from __future__ import annotations

from pathlib import Path

from pyd_core.triage.evidence import Case, Cgroup, Unread

TELLS = "peak memory, out-of-memory kills of children, refused forks and CPU throttling of this run"
ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")

_UNLIMITED = 2**60
"""Version 1 writes the largest page count where there is no limit."""


def collect(case: Case, *, local: bool, root: Path = ROOT, proc: Path = PROC) -> None:
    """Reads the counters if the container lives on this machine."""
    if not case.run.alive or not case.container.state.running:
        return
    if not local:
        case.unread.append(Unread(source="cgroup", reason="the engine runs on another machine", would_tell=TELLS))
        return
    found = read(case.container.state.pid, case.container.id, root=root, proc=proc)
    if found is None:
        case.unread.append(Unread(source="cgroup", reason="its cgroup can't be found or read", would_tell=TELLS))
    case.cgroup = found


def read(pid: int, identity: str, *, root: Path = ROOT, proc: Path = PROC) -> Cgroup | None:
    """Reads the counters of a container's cgroup; None unless the process is really in a cgroup of that container."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    paths: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if identity in path:
            for controller in controllers.split(",") if controllers else [""]:
                paths[controller] = path
    if "memory" in paths:
        return _version_1(root, paths)
    if "" in paths and ".." not in paths[""].split("/"):
        for base in (root, root / "unified"):
            if (base / paths[""].lstrip("/") / "memory.current").exists():
                return _version_2(base / paths[""].lstrip("/"))
    return None


def _version_1(root: Path, paths: dict[str, str]) -> Cgroup:
    def at(controller: str, name: str) -> Path:
        return root / controller / paths.get(controller, "").lstrip("/") / name

    stat = _table(at("memory", "memory.stat"))
    usage = _number(at("memory", "memory.usage_in_bytes"))
    cpu = _table(at("cpu", "cpu.stat")) if "cpu" in paths else {}
    return Cgroup(
        oom_kills=_table(at("memory", "memory.oom_control")).get("oom_kill"),
        memory_bytes=None if usage is None else max(0, usage - stat.get("total_inactive_file", 0)),
        memory_peak=_number(at("memory", "memory.max_usage_in_bytes")),
        memory_limit=_limit(at("memory", "memory.limit_in_bytes")),
        pids=_number(at("pids", "pids.current")) if "pids" in paths else None,
        pids_limit=_limit(at("pids", "pids.max")) if "pids" in paths else None,
        pids_refused=_table(at("pids", "pids.events")).get("max") if "pids" in paths else None,
        periods=cpu.get("nr_periods", 0),
        throttled=cpu.get("nr_throttled", 0),
    )


def _version_2(directory: Path) -> Cgroup:
    usage = _number(directory / "memory.current")
    cpu = _table(directory / "cpu.stat")
    return Cgroup(
        oom_kills=_table(directory / "memory.events").get("oom_kill"),
        memory_bytes=None
        if usage is None
        else max(0, usage - _table(directory / "memory.stat").get("inactive_file", 0)),
        memory_peak=_number(directory / "memory.peak"),
        memory_limit=_limit(directory / "memory.max"),
        pids=_number(directory / "pids.current"),
        pids_limit=_limit(directory / "pids.max"),
        pids_refused=_table(directory / "pids.events").get("max"),
        periods=cpu.get("nr_periods", 0),
        throttled=cpu.get("nr_throttled", 0),
    )


def _table(path: Path) -> dict[str, int]:
    try:
        rows = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _limit(path: Path) -> int | None:
    value = _number(path)
    return None if value is None or value >= _UNLIMITED else value
