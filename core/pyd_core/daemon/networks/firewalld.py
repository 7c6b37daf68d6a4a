"""firewalld: it rejects what goes through interfaces that are in no zone of its, so bridges are put into `trusted`.

Its packet rules are in a table of its own, and a rejection there is final, whatever the engine's table accepts; so is
one in the engine's, which keeps networks apart as before. The zone is changed at run time alone, by D-Bus (see
firewalld.dbus(5)). What was set at run time is lost when firewalld reloads or starts again: both make its table anew,
which the kernel tells of (nfnetlink, the group of nftables), and the bridges are put back.
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
"""Seconds it has for an answer: it takes one or two to start, and answers nobody meanwhile."""
_NAME = "org.fedoraproject.FirewallD1"
_BUS = "org.freedesktop.DBus"
_PROGRAM = "firewall-cmd"
"""Where it isn't, there is no firewalld. What it does takes 0.3 s, and 0.03 s by systemd's busctl."""

_HEADER = struct.Struct("=IH10x")
"""`struct nlmsghdr` of linux/netlink.h: length and type."""
_NEW_TABLE = 10 << 8  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE (linux/netfilter/nf_tables.h)
_NFTABLES = 1 << 6  # NFNLGRP_NFTABLES as a bit (linux/netfilter/nfnetlink.h)
_TABLE = b"firewalld\0"


class Firewalld:
    """The firewalld of this network namespace; on a machine without one it does nothing."""

    def __init__(self) -> None:
        self._watched = False

    def watch(self, tasks: TaskOwner, again: Callable[[], Awaitable[None]]) -> None:
        """Watches from now on for a firewalld that has forgotten the bridges.

        Args:
            tasks: Owns the watching.
            again: Puts all bridges back.
        """
        if self._watched or shutil.which(_PROGRAM) is None:
            return
        self._watched = True
        told = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 12)  # NETLINK_NETFILTER
        told.bind((0, _NFTABLES))
        tasks.start(_watch(told, again), name="firewalld")

    async def trust(self, interface: str) -> None:
        """Puts a bridge into the trusted zone; where that fails, the log says what to do."""
        await _change("changeZoneOfInterface", "--change-interface", interface)

    async def forget(self, interface: str) -> None:
        """Takes a bridge out of it."""
        await _change("removeInterface", "--remove-interface", interface)


async def _watch(told: socket.socket, again: Callable[[], Awaitable[None]]) -> None:
    with told:
        while True:
            try:
                data = await asyncio.get_running_loop().sock_recv(told, 1 << 16)
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # more was told than could be kept: it may have been among it
                    raise
            else:
                if not _has_new_table(data):
                    continue
            await again()


def _has_new_table(data: bytes) -> bool:
    """Whether netlink messages tell that firewalld made its table."""
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
    """Runs a program and returns what it complains of."""
    try:
        async with asyncio.timeout(PATIENCE):
            done = await subprocesses.run(command)
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except OSError as error:  # no network fails for that
        return f"{command[0]}: {error.strerror}"
    return "" if done.code == 0 else done.err.decode(errors="replace").strip()[:300] or f"exit {done.code}"
