"""Facts about the machine the engine runs on: room on its disks, and when the engine started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.provider import Provider
from pyd_core.linux.elf import host_architecture
from pyd_core.linux.peer import listener_pid
from pyd_core.triage.evidence import Case, FileSystem, HostFacts, UnavailableSource

TELLS = "whether disks are full, and whether the engine restarted"


PID_FILE = Path("/run/docker.pid")
SERVICE_MANAGER = 1


def collect(case: Case, *, local: bool, engine_started_ns: int | None = None) -> None:
    """Look at the file systems the container writes to."""
    if not local:
        case.unread.append(
            UnavailableSource(source="host", reason="the engine runs on another machine", would_tell=TELLS)
        )
        return
    container = case.container
    paths = [("the container's own layer", container.graph_driver.data.get("UpperDir", ""))]
    paths += [
        (mount.destination, mount.source) for mount in container.mounts if mount.rw and mount.source.startswith("/")
    ]
    for mount in container.mounts:
        if mount.source.startswith("/") and (owner := _owner(mount.source)) is not None:
            case.owners[mount.destination] = owner
    case.absent = tuple(
        mount.source for mount in container.mounts if mount.type == "bind" and not os.path.lexists(mount.source)
    )
    systems = [system for name, path in paths if path and (system := file_system(name, path)) is not None]
    case.host = HostFacts(
        architecture=host_architecture(os.uname().machine),
        file_systems=tuple(systems),
        engine_started_ns=engine_started_ns,
    )


async def note_outlived(case: Case, engine: Provider) -> None:
    """Query whether the engine keeps containers running for its successor, if this one saw the engine start."""
    if case.host is None or case.host.engine_started_ns is None:
        return
    started_ns, ended_ns = case.run.started_ns, case.run.ended_ns
    if started_ns is not None and ended_ns is not None and started_ns < case.host.engine_started_ns < ended_ns:
        info = await engine.system.info()
        case.host = msgspec.structs.replace(case.host, outlived=info.live_restore_enabled)


def file_system(name: str, path: str) -> FileSystem | None:
    """Measure the file system a path lies on; None when it can't be seen."""
    try:
        status = os.statvfs(path)
    except OSError:
        return None
    return FileSystem(
        name=name,
        path=path,
        size=status.f_blocks * status.f_frsize,
        free=status.f_bavail * status.f_frsize,
        inodes=status.f_files,
        inodes_free=status.f_favail,
    )


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def engine_started(endpoint: Endpoint, *, pid_file: Path = PID_FILE, proc: Path = Path("/proc")) -> int | None:
    """Return when the engine's daemon started, nanoseconds since the epoch; None if that can't be seen.

    The daemon is who listens on the engine's socket, or where the service manager does that, who wrote Docker's file.
    """
    path = endpoint.socket_path
    pid = None if path is None else listener_pid(path)
    try:
        if pid in {None, SERVICE_MANAGER}:
            pid = int(pid_file.read_text())
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        uptime = float((proc / "uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time_ns() - int((uptime - since_boot) * 1e9)
