"""Open descriptors of a process of the target (proc_pid_fd(5), proc_pid_fdinfo(5))."""

from __future__ import annotations

import os

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.sockets import SocketFacts, list_sockets
from pyd_core.errors import PydError

_ACCESS = {os.O_RDONLY: "r", os.O_WRONLY: "w", os.O_RDWR: "rw"}


class Descriptor(msgspec.Struct, frozen=True, kw_only=True):
    """An open file, socket or other thing."""

    number: int
    kind: str
    """`file`, `deleted`, `socket`, `pipe`, `device`, or `anon` for an eventfd and its like."""
    target: str
    """A path in the container, or a description."""
    access: str = ""
    """`r`, `w` or `rw`."""
    position: int = 0
    """The offset of the next read or write, bytes."""
    socket: SocketFacts | None = None
    """What the socket is, where it is one of the target's network."""


def list_descriptors(access: Access, host_pid: int) -> list[Descriptor]:
    """Return a process's open descriptors by number; those closed meanwhile are left out."""
    sockets: dict[int, SocketFacts] | None = None
    descriptors: list[Descriptor] = []
    for number in sorted(map(int, access.proc_names(host_pid, "fd"))):
        try:
            link = access.proc_link(host_pid, f"fd/{number}")
            info = access.proc(host_pid, f"fdinfo/{number}", limit=4096)
        except PydError:
            continue
        socket = None
        if link.startswith("socket:["):
            if sockets is None:
                sockets = {facts.inode: facts for facts in list_sockets(access, unix=True)}
            socket = sockets.get(int(link[8:-1]))
        descriptors.append(_descriptor(number, link, info, socket))
    return descriptors


def _descriptor(number: int, link: str, info: bytes, socket: SocketFacts | None) -> Descriptor:
    fields = dict(line.split(None, 1) for line in info.decode(errors="replace").splitlines() if len(line.split()) > 1)
    flags = int(fields.get("flags:", "0"), 8)
    return Descriptor(
        number=number,
        kind=_kind(link),
        target=link,
        access=_ACCESS.get(flags & os.O_ACCMODE, ""),
        position=int(fields.get("pos:", "0").split()[0]),
        socket=socket,
    )


def _kind(link: str) -> str:
    if not link.startswith("/"):
        return {"socket": "socket", "pipe": "pipe", "anon_inode": "anon"}.get(link.partition(":")[0], "other")
    if link.endswith(" (deleted)"):
        return "deleted"
    return "device" if link.startswith("/dev/") else "file"
