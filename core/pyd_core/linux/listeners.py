"""Which program of this machine listens on a port (proc_net(5), proc_pid_fd(5))."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp; UDP sockets are bound in state 07."""
_BOUND = "07"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A program that holds a port."""

    port: int
    protocol: str
    """`tcp` or `udp`."""
    pid: int | None = None
    """None when this process may not look into others."""
    name: str = ""


def find_listener(port: int, protocol: str = "tcp", *, proc: Path = Path("/proc")) -> Listener | None:
    """Returns who holds a port in this network namespace; None when nobody does."""
    wanted = _LISTEN if protocol == "tcp" else _BOUND
    inodes: set[str] = set()
    for table in (protocol, f"{protocol}6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == wanted and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    if not inodes:
        return None
    pid = _owner({f"socket:[{inode}]" for inode in inodes}, proc)
    return Listener(port=port, protocol=protocol, pid=pid, name=_name(pid, proc))


def _owner(sockets: set[str], proc: Path) -> int | None:
    with os.scandir(proc) as entries:
        for entry in entries:
            if entry.name.isdigit() and _holds(f"{entry.path}/fd", sockets):
                return int(entry.name)
    return None


def _holds(directory: str, sockets: set[str]) -> bool:
    try:
        with os.scandir(directory) as handles:
            return any(os.readlink(handle.path) in sockets for handle in handles)  # noqa: PTH115 - there are many
    except OSError:
        return False  # ended meanwhile, or not ours to look into


def _name(pid: int | None, proc: Path) -> str:
    if pid is None:
        return ""
    try:
        return (proc / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""
