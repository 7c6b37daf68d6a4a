"""firewalld: it rejects traffic of interfaces that are in no zone, so bridges are added to the zone `trusted`.

Its packet rules are in a separate table. A rejection there is final, whatever the engine's table accepts; so is one in
the engine's, which keeps networks apart as before. The zone is changed only at run time, by D-Bus (see
firewalld.dbus(5)). Such changes are lost when firewalld reloads or restarts. Both create its table again, which the
kernel announces (nfnetlink, the group of nftables), and the bridges are added again.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
import socket
import struct
from collections.abc import Awaitable, Callable

from pyd_core.daemon.runtime import subprocesses
from pyd_core.tasks import TaskOwner

log = logging.getLogger(__name__)

ZONE = "trusted"
COMMAND_TIMEOUT_S = 10.0
"""It needs one or two seconds to start, and answers nothing meanwhile."""
_NAME = "org.fedoraproject.FirewallD1"
_BUS = "org.freedesktop.DBus"
_PROGRAM = "firewall-cmd"
"""Without it there is no firewalld. A call takes 0.3 s with it, and 0.03 s with systemd's busctl."""

_HEADER = struct.Struct("=IH10x")
"""`struct nlmsghdr` of linux/netlink.h: length and type."""
_NEW_TABLE = 10 << 8  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE (linux/netfilter/nf_tables.h)
_NFTABLES = 1 << 6  # NFNLGRP_NFTABLES as a bit (linux/netfilter/nfnetlink.h)
_TABLE = b"firewalld\0"


class Firewalld:
    """The firewalld of this network namespace; without one, its methods do nothing."""

    def __init__(self) -> None:
        self._is_watching = False

    def watch(self, tasks: TaskOwner, on_reset: Callable[[], Awaitable[None]]) -> None:
        """Start to watch for a firewalld that has dropped the bridges.

        Args:
            tasks: The owner of the task.
            on_reset: Called to add all bridges again.
        """
        if self._is_watching or shutil.which(_PROGRAM) is None:
            return
        self._is_watching = True
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 12)  # NETLINK_NETFILTER
        sock.bind((0, _NFTABLES))
        tasks.start(_watch(sock, on_reset), name="firewalld")

    async def trust(self, interface: str) -> None:
        """Add a bridge to the trusted zone; if that fails, the log explains how to do it manually."""
        await _change_zone("changeZoneOfInterface", "--change-interface", interface)

    async def forget(self, interface: str) -> None:
        """Remove a bridge from the trusted zone."""
        await _change_zone("removeInterface", "--remove-interface", interface)


async def _watch(sock: socket.socket, on_reset: Callable[[], Awaitable[None]]) -> None:
    with sock:
        while True:
            try:
                data = await asyncio.get_running_loop().sock_recv(sock, 1 << 16)
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # messages were dropped: one may have been about the table
                    raise
            else:
                if not _has_new_table(data):
                    continue
            await on_reset()


def _has_new_table(data: bytes) -> bool:
    """Return whether netlink messages announce firewalld's table."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind = _HEADER.unpack_from(data, offset)
        if kind == _NEW_TABLE and _TABLE in data[offset : offset + length]:
            return True
        offset += max(_HEADER.size, (length + 3) & ~3)
    return False


async def _change_zone(method: str, option: str, interface: str) -> None:
    if shutil.which(_PROGRAM) is None:
        return
    manual_command = [_PROGRAM, f"--zone={ZONE}", f"{option}={interface}"]
    check_command = [_PROGRAM, "--state"]
    command = manual_command
    busctl = shutil.which("busctl")
    if busctl is not None:
        bus = [busctl, "--system", "--auto-start=no", "call"]
        command = [*bus, _NAME, f"/{_NAME.replace('.', '/')}", f"{_NAME}.zone", method, "ss", ZONE, interface]
        check_command = [*bus, _BUS, "/org/freedesktop/DBus", _BUS, "GetNameOwner", "s", _NAME]
    error = await _run_for_error(command)
    if error and "UNKNOWN_INTERFACE" not in error and not await _run_for_error(check_command):
        log.warning("firewalld: %s; do it by hand: %s", error, " ".join(manual_command))


async def _run_for_error(command: list[str]) -> str:
    """Run a program and return its error message, empty on success."""
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            result = await subprocesses.run(command)
    except TimeoutError:
        return f"no answer within {COMMAND_TIMEOUT_S:.0f} s"
    except OSError as error:  # no network fails because of that
        return f"{command[0]}: {error.strerror}"
    return "" if result.code == 0 else result.err.decode(errors="replace").strip()[:300] or f"exit {result.code}"
