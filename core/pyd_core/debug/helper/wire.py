"""The messages between a client and the agent in its helper container (`agent.py` has the kinds)."""

from __future__ import annotations

import importlib.resources
import struct
from collections.abc import Iterator

from pyd_core.errors import BadAnswer

_HEADER = struct.Struct(">cII")
_LARGEST = 16 << 20
"""Bytes of one message; the agent sends at most 32 KB of output at a time, and facts."""

BOOT = "exec(open(0, 'rb', 0, closefd=False).readline())"
"""What the helper's interpreter is started with; the first line of its standard input says how to go on."""

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
for name in ("pyd_core", "pyd_core.debug", "pyd_core.debug.join", "agent"):
    sys.modules[name] = module = type(sys)(name)
    exec(compile(take(int(take(8))), name, "exec"), module.__dict__)
module.main()
"""
"""Reads modules: each one's size, in eight digits, and source."""


def program() -> bytes:
    """Returns what `BOOT` reads."""
    join = importlib.resources.files("pyd_core.debug").joinpath("join.py").read_bytes()
    agent = importlib.resources.files("pyd_core.debug.helper").joinpath("agent.py").read_bytes()
    modules = [b"%08d%s" % (len(source), source) for source in (b"", b"", join, agent)]
    return b"".join([f"exec({_LOAD!r})\n".encode(), *modules])


def message(kind: bytes, channel: int, data: bytes = b"") -> bytes:
    """Returns one message."""
    return _HEADER.pack(kind, channel, len(data)) + data


class Decoder:
    """Takes the agent's stream apart, whatever pieces it arrives in."""

    def __init__(self) -> None:
        self._arrived = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
        """Yields the messages that `data` completes: kind, channel, content.

        Raises:
            BadAnswer: It isn't an agent's stream.
        """
        self._arrived += data
        while len(self._arrived) >= _HEADER.size:
            kind, channel, size = _HEADER.unpack_from(self._arrived)
            if size > _LARGEST:
                raise BadAnswer("the helper container's answer makes no sense")
            if len(self._arrived) < _HEADER.size + size:
                return
            content = bytes(self._arrived[_HEADER.size : _HEADER.size + size])
            del self._arrived[: _HEADER.size + size]
            yield kind, channel, content
