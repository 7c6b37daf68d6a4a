"""Listeners and connections in the target's network, and their processes (proc_pid_net(5))."""

from __future__ import annotations

import ipaddress
import struct

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.inspectors.processes import names_of, require_running
from pyd_core.errors import PydError

MAX_TABLE_BYTES = 16 << 20

_STATES = {
    1: "connected",
    2: "connecting",
    3: "accepting",
    4: "closing",
    5: "closing",
    6: "time-wait",
    7: "closed",
    8: "close-wait",
    9: "closing",
    10: "listening",
    11: "closing",
}
"""`TCP_ESTABLISHED` and so on (net/tcp_states.h)."""


class SocketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A socket."""

    protocol: str
    """`tcp`, `tcp6`, `udp`, `udp6` or `unix`."""
    state: str
    local: str
    """Address or path; empty for a nameless unix socket."""
    port: int = 0
    remote: str = ""
    remote_port: int = 0
    receive_queue: int = 0
    """Bytes that wait to be read; for a listener, connections that wait to be accepted."""
    send_queue: int = 0
    inode: int = 0
    pid: int | None = None
    """The target's number of a process that holds it; None when none of the target's does."""
    process: str = ""


def list_sockets(access: Access, *, unix: bool = False) -> list[SocketFacts]:
    """Return the sockets in the target's network namespace, listeners first.

    Args:
        access: The target.
        unix: Unix sockets too.

    Raises:
        Conflict: The target doesn't run.
    """
    require_running(access)
    sockets: list[SocketFacts] = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        try:
            text = access.proc(access.main_pid, f"net/{protocol}", limit=MAX_TABLE_BYTES)
        except PydError:
            continue  # a kernel without IPv6
        sockets += parse_inet(text.decode(errors="replace"), protocol)
    if unix:
        text = access.proc(access.main_pid, "net/unix", limit=MAX_TABLE_BYTES)
        sockets += parse_unix(text.decode(errors="replace"))
    holders = socket_holders(access)
    names = names_of(access, set(holders.values()))
    owned = [_owned(facts, holders, names) for facts in sockets]
    order = {"listening": 0, "bound": 1, "connected": 2}
    return sorted(
        owned, key=lambda socket: (order.get(socket.state, 3), socket.protocol == "unix", socket.port, socket.protocol)
    )


def socket_holders(access: Access) -> dict[int, int]:
    """Return the process that holds each socket, by inode; the first where several do."""
    holders: dict[int, int] = {}
    for host_pid in access.pids():
        try:
            names = access.proc_names(host_pid, "fd")
        except PydError:
            continue
        for name in names:
            try:
                link = access.proc_link(host_pid, f"fd/{name}")
            except PydError:
                continue
            if link.startswith("socket:["):
                holders.setdefault(int(link[8:-1]), host_pid)
    return holders


def _owned(facts: SocketFacts, holders: dict[int, int], names: dict[int, tuple[int, str]]) -> SocketFacts:
    known = names.get(holders.get(facts.inode, 0)) if facts.inode else None
    return facts if known is None else msgspec.structs.replace(facts, pid=known[0], process=known[1])


def parse_inet(text: str, protocol: str) -> list[SocketFacts]:
    """Read `/proc/PID/net/tcp` and its like."""
    sockets: list[SocketFacts] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            continue
        try:
            local, port = parse_address(fields[1])
            remote, remote_port = parse_address(fields[2])
            number = int(fields[3], 16)
            sending, _, receiving = fields[4].partition(":")
            queues = int(receiving, 16), int(sending, 16)
            inode = int(fields[9])
        except (ValueError, struct.error):
            continue
        state = _STATES.get(number, str(number))
        if protocol.startswith("udp"):
            state = "connected" if number == 1 else "bound"
        sockets.append(
            SocketFacts(
                protocol=protocol,
                state=state,
                local=local,
                port=port,
                remote=remote if remote_port else "",
                remote_port=remote_port,
                receive_queue=queues[0],
                send_queue=queues[1],
                inode=inode,
            )
        )
    return sockets


def parse_address(text: str) -> tuple[str, int]:
    """Read `0100007F:1F90`: words of an address as the processor holds them, and a port."""
    digits, _, port = text.partition(":")
    data = bytes.fromhex(digits)
    words = struct.unpack(f"<{len(data) // 4}I", data)
    packed = struct.pack(f">{len(words)}I", *words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(port, 16)


def parse_unix(text: str) -> list[SocketFacts]:
    """Read `/proc/PID/net/unix`: `Num RefCount Protocol Flags Type St Inode Path`."""
    sockets: list[SocketFacts] = []
    for line in text.splitlines()[1:]:
        fields = line.split(None, 7)
        if len(fields) < 7 or not fields[6].isdigit():
            continue
        listening = int(fields[3], 16) & 0x10000  # SO_ACCEPTCON
        state = "listening" if listening else {"03": "connected", "02": "connecting"}.get(fields[5], "bound")
        path = fields[7] if len(fields) > 7 else ""
        sockets.append(SocketFacts(protocol="unix", state=state, local=path, inode=int(fields[6])))
    return sockets
