"""The agent in a helper container: it joins targets for a remote client, and passes bytes both ways.

Like `join.py` it needs only the standard library: the client sends all the source over the container's standard input
(see `wire.BOOT`), so that the image holds only tools and never an older program than the client's.

Messages go both ways over standard input and output, each with a header of nine bytes, `[kind, channel, size]`, numbers
big-endian. A channel is one program that the client started. The client sends

    L  look: JSON of what target is meant; answered by `l` with facts, or `f` with the call that failed
    R  run a plan (JSON, as `join.supervise` takes it) on a channel
    I  input    E  end of input    S  a signal's number    W  rows and columns, two bytes each    K  end it
    T  whether the terminal echoes, a byte    C  for the command's channel    B  answers to calls of builtins

and the agent

    m  a message of the join's    o, e  output and error output    c  from the command's channel
    b  calls of builtins    a  so much input was taken (4 bytes)    z  all has ended

It ends when its input does, or when its time is over; the container's end ends what it started.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import struct
import sys
import time
from typing import Any, NoReturn

from pyd_core.debug.helper.agent_channel import HEADER, Channel, send
from pyd_core.debug.helper.target_look import TOOLBOX, look
from pyd_core.debug.syscalls import CallFailed, forget_start

_PR_SET_NAME = 15
_PREFIX = "/dev/.pyd"

_libc = ctypes.CDLL(None, use_errno=True)


class Agent:
    """The service for one client.

    Args:
        lifetime: Seconds until it ends, whatever happens.
    """

    def __init__(self, lifetime: float) -> None:
        self._ends = time.monotonic() + lifetime
        self._channels: dict[int, Channel] = {}
        self._arrived = bytearray()

    def run(self) -> None:
        """Run until the client's input ends, or time does."""
        while (left := self._ends - time.monotonic()) > 0:
            poll = select.poll()
            poll.register(0, select.POLLIN)
            owners: dict[int, Channel] = {}
            for channel in self._channels.values():
                for descriptor, events in channel.interests():
                    poll.register(descriptor, events)
                    owners[descriptor] = channel
            for descriptor, _ in poll.poll(left * 1000):
                if descriptor == 0:
                    data = os.read(0, 65536)
                    if not data:
                        self._end()
                        return
                    self._arrived += data
                    self._take()
                elif (owner := owners[descriptor]).number in self._channels and owner.ready(descriptor):
                    del self._channels[owner.number]
        self._report_timeout()
        self._end()

    def _end(self) -> None:
        """End and reap the programs; the target's first process would have to do it, and many never do."""
        for channel in self._channels.values():
            channel.signal(signal.SIGRTMIN)
        for channel in self._channels.values():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(channel.pid, 0)

    def _report_timeout(self) -> None:
        for number in self._channels:
            send(b"e", number, b"pyd: the time of this session is over\r\n")

    def _take(self) -> None:
        while len(self._arrived) >= HEADER.size:
            kind, number, size = HEADER.unpack_from(self._arrived)
            if len(self._arrived) < HEADER.size + size:
                return
            data = bytes(self._arrived[HEADER.size : HEADER.size + size])
            del self._arrived[: HEADER.size + size]
            self._obey(kind, number, data)

    def _obey(self, kind: bytes, number: int, data: bytes) -> None:
        if kind == b"L":
            self._answer(number, json.loads(data))
        elif kind == b"R":
            self._channels[number] = Channel(number, json.loads(data))
        elif (channel := self._channels.get(number)) is not None:
            match kind:
                case b"I":
                    channel.feed(data)
                case b"E":
                    channel.end_input()
                case b"S":
                    channel.signal(data[0])
                case b"W":
                    channel.resize(*struct.unpack(">HH", data))
                case b"T":
                    channel.set_echo(on=bool(data[0]))
                case b"C":
                    channel.send_to_command(data)
                case b"B":
                    channel.answer(data)
                case b"K":
                    channel.signal(signal.SIGRTMIN)
                case _:
                    pass

    def _answer(self, number: int, request: dict[str, Any]) -> None:
        try:
            send(b"l", number, json.dumps(look(request)).encode())
        except CallFailed as error:
            send(b"f", number, json.dumps([error.call, error.number, error.subject]).encode())
        except OSError as error:
            send(b"f", number, json.dumps(["open", error.errno or 0, str(error.filename or "")]).encode())


def main() -> NoReturn:
    """Serve the client on standard input and output for so many seconds; `sys.argv[1]` says how many."""
    try:
        forget_start()
        _libc.prctl(_PR_SET_NAME, b"pyd-helper", 0, 0, 0)
        with contextlib.suppress(OSError):
            os.symlink(TOOLBOX, _PREFIX)  # tools run only from there, also next to a target that can't be joined
        Agent(float(sys.argv[1])).run()
    finally:
        os._exit(0)
