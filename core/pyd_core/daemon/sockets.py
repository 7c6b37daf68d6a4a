"""The sockets that the engine listens on, and who connects to them."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import socket
import sys

from pyd_core.daemon.config import GROUPS, DaemonConfig

LISTEN_BACKLOG = 4096
"""Connections that wait to be accepted; the kernel's own limit may be lower, see net.core.somaxconn."""


def inherited_socket() -> socket.socket | None:
    """Return the socket that systemd holds for this engine, None without one (sd_listen_fds(3))."""
    is_for_us = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    if os.environ.pop("LISTEN_FDS", "") != "1" or not is_for_us:
        return None
    sock = socket.socket(fileno=3)
    sock.set_inheritable(False)
    return sock


def listen_locally(config: DaemonConfig) -> socket.socket:
    """Open the engine's Unix socket, for root and its group only, in place of a dead engine's.

    The socket gets its name once it listens, so that clients which wait for the name can connect.
    """
    path = config.socket_path
    path.parent.mkdir(parents=True, exist_ok=True)
    unready = path.with_name(f".{path.name}.new")
    unready.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old_mask = os.umask(0o177)
    try:
        directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            sock.bind(f"/proc/self/fd/{directory}/{unready.name}")  # sun_path has 108 bytes
        finally:
            os.close(directory)
    finally:
        os.umask(old_mask)
    for group in (config.group,) if config.group else GROUPS:
        with contextlib.suppress(KeyError):
            os.chown(unready, 0, grp.getgrnam(group).gr_gid)
            unready.chmod(0o660)
            break
    sock.listen(LISTEN_BACKLOG)
    unready.replace(path)
    return sock


async def listen_on(host: str, port: int) -> list[socket.socket]:
    """Open the TCP sockets of an address; a host name may have several."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [
        socket.create_server(address[:2], family=family, backlog=LISTEN_BACKLOG)
        for family, _, _, _, address in addresses
    ]


def is_own_client(writer: asyncio.StreamWriter) -> bool:
    """Return whether a client is this very process, as the engine's sidecar task is."""
    sock = writer.get_extra_info("socket")
    if sock.family != socket.AF_UNIX:
        return False
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # struct ucred of unix(7), the pid first
    return int.from_bytes(credentials[:4], sys.byteorder) == os.getpid()
