"""The messages between a client and the agent in its helper container (`agent.py` has the kinds)."""

from __future__ import annotations

import importlib.resources
import struct
from collections.abc import Iterator

from pyd_core.errors import ProtocolError

_HEADER = struct.Struct(">cII")
_MAX_MESSAGE_BYTES = 16 << 20
"""Bytes of one message; the agent sends at most 32 KB of output at a time, and facts."""

BOOT = "exec(open(0, 'rb', 0, closefd=False).readline())"
"""What the helper's interpreter is started with; the first line of its standard input is the program to run."""

_LOAD = """
import os, sys
def take(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
while (name := take(int(take(8))).decode()):
    sys.modules[name] = module = type(sys)(name)
    exec(compile(take(int(take(8))), name, "exec"), module.__dict__)
module.main()
"""
"""Reads modules: the size of the name in eight digits, the name, the size of the source, the source; an empty name ends
them."""

_MODULES = (
    *("syscalls", "view", "confine", "device_rules", "sessions.cgroups", "sessions.reports"),
    *("sessions.keeper", "sessions.joiner", "sessions.supervisor", "join"),
    *("helper.agent_channel", "helper.target_look", "helper.agent"),
)
"""The modules of the join and of the agent, each after those it imports; the last has `main`."""


def program() -> bytes:
    """Return the bytes that `BOOT` reads."""
    debug = importlib.resources.files("pyd_core.debug")
    packages = ("pyd_core", "pyd_core.linux", "pyd_core.debug", "pyd_core.debug.sessions", "pyd_core.debug.helper")
    modules: dict[str, bytes] = dict.fromkeys(packages, b"")
    names = importlib.resources.files("pyd_core.linux").joinpath("cgroup_names.py")
    modules["pyd_core.linux.cgroup_names"] = names.read_bytes()
    for name in _MODULES:
        modules[f"pyd_core.debug.{name}"] = debug.joinpath(f"{name.replace('.', '/')}.py").read_bytes()
    parts = [part for name, source in modules.items() for part in (name.encode(), source)]
    texts = b"".join(b"%08d%s" % (len(part), part) for part in (*parts, b""))
    return f"exec({_LOAD!r})\n".encode() + texts


def message(kind: bytes, channel: int, data: bytes = b"") -> bytes:
    """Return one message."""
    return _HEADER.pack(kind, channel, len(data)) + data


class MessageDecoder:
    """Splits the agent's stream into messages, whatever pieces it arrives in."""

    def __init__(self) -> None:
        self._arrived = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield the messages that `data` completes: kind, channel, content.

        Raises:
            ProtocolError: It isn't an agent's stream.
        """
        self._arrived += data
        while len(self._arrived) >= _HEADER.size:
            kind, channel, size = _HEADER.unpack_from(self._arrived)
            if size > _MAX_MESSAGE_BYTES:
                raise ProtocolError("the helper container's answer is malformed")
            if len(self._arrived) < _HEADER.size + size:
                return
            content = bytes(self._arrived[_HEADER.size : _HEADER.size + size])
            del self._arrived[: _HEADER.size + size]
            yield kind, channel, content
