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
PATIENCE = 10.0
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
        self._watched = False

    def watch(self, tasks: TaskOwner, again: Callable[[], Awaitable[None]]) -> None:
        """Start to watch for a firewalld that has dropped the bridges.

        Args:
            tasks: The owner of the task.
            on_reset: Called to add all bridges again.
        """
        if self._watched or shutil.which(_PROGRAM) is None:
            return
        self._watched = True
        told = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 12)  # NETLINK_NETFILTER
        told.bind((0, _NFTABLES))
        tasks.start(_watch(told, again), name="firewalld")

    async def trust(self, interface: str) -> None:
        """Add a bridge to the trusted zone; if that fails, the log explains how to do it manually."""
        await _change("changeZoneOfInterface", "--change-interface", interface)

    async def forget(self, interface: str) -> None:
        """Remove a bridge from the trusted zone."""
        await _change("removeInterface", "--remove-interface", interface)


async def _watch(told: socket.socket, again: Callable[[], Awaitable[None]]) -> None:
    with told:
        while True:
            try:
                data = await asyncio.get_running_loop().sock_recv(told, 1 << 16)
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # messages were dropped: one may have been about the table
                    raise
            else:
                if not _has_new_table(data):
                    continue
            await again()


def _has_new_table(data: bytes) -> bool:
    """Return whether netlink messages announce firewalld's table."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind = _HEADER.unpack_from(data, at)
        if kind == _NEW_TABLE and _TABLE in data[at : at + length]:
            return True
        at += max(_HEADER.size, (length + 3) & ~3)
    return False


async def _change(method: str, option: str, interface: str) -> None:
    if shutil.which(_PROGRAM) is None:
        return
    by_hand = [_PROGRAM, f"--zone={ZONE}", f"{option}={interface}"]
    runs = [_PROGRAM, "--state"]
    command = by_hand
    busctl = shutil.which("busctl")
    if busctl is not None:
        bus = [busctl, "--system", "--auto-start=no", "call"]
        command = [*bus, _NAME, f"/{_NAME.replace('.', '/')}", f"{_NAME}.zone", method, "ss", ZONE, interface]
        runs = [*bus, _BUS, "/org/freedesktop/DBus", _BUS, "GetNameOwner", "s", _NAME]
    trouble = await _trouble(command)
    if trouble and "UNKNOWN_INTERFACE" not in trouble and not await _trouble(runs):
        log.warning("firewalld: %s; do it by hand: %s", trouble, " ".join(by_hand))


async def _trouble(command: list[str]) -> str:
    """Run a program and return its error message, empty on success."""
    try:
        async with asyncio.timeout(PATIENCE):
            done = await subprocesses.run(command)
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except OSError as error:  # no network fails because of that
        return f"{command[0]}: {error.strerror}"
    return "" if done.code == 0 else done.err.decode(errors="replace").strip()[:300] or f"exit {done.code}"
