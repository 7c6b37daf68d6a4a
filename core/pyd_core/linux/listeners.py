"""Listening sockets and their processes on this machine (proc_net(5), proc_pid_fd(5))."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

import msgspec

_LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp; UDP sockets are bound in state 07."""
_BOUND = "07"


class ListeningSocket(msgspec.Struct, frozen=True, kw_only=True):
    """A program that holds a port."""

    port: int
    protocol: str
    """`tcp` or `udp`."""
    pid: int | None = None
    """None when this process may not look into others."""
    name: str = ""


def find_listener(port: int, protocol: str = "tcp", *, proc: Path = Path("/proc")) -> ListeningSocket | None:
    """Return the socket that uses a port in this network namespace; None if the port is free."""
    state = _LISTEN if protocol == "tcp" else _BOUND
    inodes: set[str] = set()
    for table in (protocol, f"{protocol}6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == state and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    if not inodes:
        return None
    pid = _owner({f"socket:[{inode}]" for inode in inodes}, proc)
    return ListeningSocket(port=port, protocol=protocol, pid=pid, name=_name(pid, proc))


class ListenAddress(msgspec.Struct, frozen=True):
    """The address of a listening TCP socket."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only processes of the same network namespace reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listening_addresses(pid: int, *, proc: Path = Path("/proc")) -> tuple[ListenAddress, ...]:
    """Return the TCP addresses that processes listen on in another process's network namespace.

    Raises:
        OSError: The process is gone, or not ours to look into.
    """
    addresses: set[tuple[str, int]] = set()
    for table in ("tcp", "tcp6"):
        for line in (proc / str(pid) / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _LISTEN:
                host, _, port = fields[1].partition(":")
                addresses.add((_host(host), int(port, 16)))
    return tuple(
        ListenAddress(host, port) for host, port in sorted(addresses, key=lambda address: (address[1], address[0]))
    )


def _host(text: str) -> str:
    """An address as the tables write it: words of 32 bits, each in the processor's order of bytes."""
    words = (int(text[offset : offset + 8], 16).to_bytes(4, sys.byteorder) for offset in range(0, len(text), 8))
    return str(ipaddress.ip_address(b"".join(words)))


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
