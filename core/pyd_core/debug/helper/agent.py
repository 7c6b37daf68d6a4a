"""The agent in a helper container: it joins targets for a remote client, and passes bytes both ways.

Like `join.py` it needs only the standard library: the client sends all the source over the container's standard input
(see `wire.BOOT`), so that the image holds only tools and never an older program than the client's.

Messages go both ways over standard input and output, each with a header of nine bytes, `[kind, channel, size]`, numbers
big-endian. A channel is one program that the client started. The client sends

    L  look: JSON of what target is meant; answered by `l` with facts, or `f` with the call that failed
    R  run a plan (JSON, as `join.supervise` takes it) on a channel
    I  input    E  end of input    S  a signal's number    W  rows and columns, two bytes each    K  end it
    T  whether the terminal echoes, a byte    C  for the command's channel

and the agent

    m  a message of the join's    o, e  output and error output    c  from the command's channel
    a  so much input was taken (4 bytes)    z  all has ended

It ends when its input does, or when its time is over; the container's end ends what it started.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import termios
import time
from typing import Any, NoReturn

from pyd_core.debug.confine import read_status, start_time
from pyd_core.debug.join import serve
from pyd_core.debug.syscalls import CallFailed, forget_start, open_beneath
from pyd_core.linux.cgroup_names import is_member

_HEADER = struct.Struct(">cII")
_CHUNK = 32768
_MAX_PLAN_BYTES = 4 << 20
_IN_ROOT, _NO_MAGICLINKS = 0x10, 0x02
_PR_SET_NAME = 15
_MAX_PASSWD_BYTES = 1 << 20
_PREFIX, _TOOLBOX = "/dev/.pyd", "/toolbox"

_libc = ctypes.CDLL(None, use_errno=True)


def send(kind: bytes, channel: int, data: bytes = b"") -> None:
    """Write one message; block while the client doesn't read, which holds the programs' output back too."""
    whole = _HEADER.pack(kind, channel, len(data)) + data
    while whole:
        whole = whole[os.write(1, whole) :]


class Channel:
    """A program of the client's, in a target or next to it.

    Args:
        number: The client's name for it.
        plan: As `join.supervise` takes it; with pid 0 it runs in this container's own root, next to the target.
    """

    def __init__(self, number: int, plan: dict[str, Any]) -> None:
        self.number = number
        self.typed = bytearray()
        self.input_ended = False
        self.master = self.to_command = self.from_command = -1
        self.status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.status, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_PLAN_BYTES)
        terminal = plan["terminal"] is not None
        ends = [os.pipe() for _ in range(0 if terminal else 3)]
        self.pid = os.fork()
        if self.pid == 0:
            self._become_supervisor(theirs, ends)
        theirs.close()
        self.input, self.outputs = -1, {}
        if not terminal:
            (stdin, self.input), (stdout, out), (stderr, error) = ends
            for descriptor in (stdin, out, error):
                os.close(descriptor)
            self.outputs = {stdout: b"o", stderr: b"e"}
            os.set_blocking(self.input, False)
        plan["client"] = os.getpid()
        self.status.send(json.dumps(plan).encode())

    def _become_supervisor(self, status: socket.socket, ends: list[tuple[int, int]]) -> NoReturn:
        try:
            if ends:
                kept = (ends[0][0], ends[1][1], ends[2][1])
            else:
                nothing = os.open(os.devnull, os.O_RDWR)
                kept = (nothing, nothing, nothing)
            for number, descriptor in enumerate(kept):
                os.dup2(descriptor, number)
            # Other channels' pipes would stay open for as long as this one lives.
            os.closerange(3, status.fileno())
            os.closerange(status.fileno() + 1, 4096)
            serve(status)
        finally:
            os._exit(125)

    def interests(self) -> list[tuple[int, int]]:
        """Return what to wait for: descriptors and poll(2) events."""
        interests = [(self.status.fileno(), select.POLLIN), *((output, select.POLLIN) for output in self.outputs)]
        if self.from_command >= 0:
            interests.append((self.from_command, select.POLLIN))
        if self.master >= 0:
            interests.append((self.master, select.POLLIN | (select.POLLOUT if self.typed else 0)))
        elif self.input >= 0 and self.typed:
            interests.append((self.input, select.POLLOUT))
        return interests

    def feed(self, data: bytes) -> None:
        """Take input of the client's, and give the program what it takes now."""
        self.typed += data
        self._pour()

    def end_input(self) -> None:
        """End the program's input once all of it is taken."""
        self.input_ended = True
        self._pour()

    def _pour(self) -> None:
        sink = self.master if self.master >= 0 else self.input
        if sink < 0:
            return
        taken = 0
        try:
            while self.typed:
                written = os.write(sink, self.typed[:_CHUNK])
                del self.typed[:written]
                taken += written
        except BlockingIOError:
            pass
        except OSError:  # it has no reader any more
            taken += len(self.typed)
            self.typed.clear()
        if taken:
            send(b"a", self.number, struct.pack(">I", taken))
        if self.input_ended and not self.typed and self.input >= 0:
            os.close(self.input)
            self.input = -1

    def resize(self, rows: int, columns: int) -> None:
        """Set the terminal's size."""
        if self.master >= 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def set_echo(self, *, on: bool) -> None:
        """Have the terminal show what is typed, or not."""
        self._pour()
        if self.master >= 0:
            with contextlib.suppress(OSError, termios.error):
                attributes = termios.tcgetattr(self.master)
                attributes[3] = attributes[3] | termios.ECHO if on else attributes[3] & ~termios.ECHO
                termios.tcsetattr(self.master, termios.TCSANOW, attributes)

    def say(self, data: bytes) -> None:
        """Write to the command's channel, which always reads."""
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self.to_command, data) :]

    def signal(self, number: int) -> None:
        """Signal the supervisor, which passes it on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ready(self, descriptor: int) -> bool:
        """Do what can be done with a descriptor; True when all is over."""
        if descriptor == self.status.fileno():
            return self._hear()
        if descriptor == self.master:
            self._pour()
            self._copy(self.master, b"o")
        elif descriptor == self.input:
            self._pour()
        elif descriptor == self.from_command:
            self._copy(descriptor, b"c")
        elif descriptor in self.outputs:
            self._copy(descriptor, self.outputs[descriptor])
        return False

    def _hear(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self.status, 65536, 3)
        if message.startswith(b"terminal") and descriptors:
            self.master = descriptors[0]
            if len(descriptors) == 3:
                self.to_command, self.from_command = descriptors[1:]
            os.set_blocking(self.master, False)
            self._pour()
        if message:
            send(b"m", self.number, message)
            return False
        self._drain()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        for descriptor in (self.input, self.master, self.to_command, self.from_command, *self.outputs):
            if descriptor >= 0:
                os.close(descriptor)
        self.status.close()
        send(b"z", self.number)
        return True

    def _drain(self) -> None:
        rest = [(source, kind) for source, kind in ((self.master, b"o"), (self.from_command, b"c")) if source >= 0]
        for source, kind in (*self.outputs.items(), *rest):
            os.set_blocking(source, False)
            while self._copy(source, kind):
                pass

    def _copy(self, descriptor: int, kind: bytes) -> bool:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""  # no process has the terminal's other end open
        if data:
            send(kind, self.number, data)
            return True
        os.close(descriptor)
        if descriptor == self.master:
            self.master = -1
        elif descriptor == self.from_command:
            self.from_command = -1
        else:
            self.outputs.pop(descriptor, None)
        return False


# --- looking at the target --------------------------------------------------------------------------------------------


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Find the target's process and return what a plan is made from.

    Args:
        request: `pid`, the process by its number here, 0 if not known; `id`, the container's; `init`, whether its first
            process is an init of the engine's; `paths`, absolute ones of the target; `tools`, ones of the
            toolbox.
    """
    pid = request["pid"] or _member(request["id"])
    if request["init"]:
        pid = _first_child(pid)
    process = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    started = start_time(process)
    read = {name: read_status(process, name) for name in ("status", "uid_map", "gid_map")}
    with contextlib.suppress(OSError):
        os.symlink(f"/proc/{pid}/root", "/dev/.target")
    root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    own = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    namespaces = [
        kind
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
        if os.path.exists(f"/proc/self/ns/{kind}")
        and os.stat(f"ns/{kind}", dir_fd=process).st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino
    ]
    if "user" not in namespaces:
        # The maps are then relative to the namespace around this one, and the status has the target's own ids.
        read |= dict.fromkeys(("uid_map", "gid_map"), "0 0 4294967295\n")
    facts = {
        "pid": pid,
        "start": started,
        "own": read_status(own, "status"),
        "passwd": base64.b64encode(_passwd(root)).decode(),
        "exists": [path for path in request["paths"] if _exists(root, path)],
        "tools": [name for name in request["tools"] if os.path.exists(f"{_TOOLBOX}/{name}")],
        "namespaces": namespaces,
        **read,
    }
    for descriptor in (process, root, own):
        os.close(descriptor)
    return facts


def _member(container: str) -> int:
    """Return the oldest process whose cgroup is named by the container's id."""
    members: list[tuple[int, int]] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, CallFailed, IndexError, ValueError):
            process = os.open(f"/proc/{name}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if is_member(read_status(process, "cgroup"), container):
                    members.append((start_time(process), int(name)))
            finally:
                os.close(process)
    if not members:
        raise CallFailed("look", errno.ESRCH, "the target's processes")
    return min(members)[1]


def _first_child(pid: int) -> int:
    """Return the program an init was given to run; the init while it has none."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])
    return pid


def _exists(root: int, path: str) -> bool:
    try:
        os.close(open_beneath(root, path.lstrip("/"), os.O_PATH | os.O_NOFOLLOW, _IN_ROOT | _NO_MAGICLINKS))
    except CallFailed:
        return False
    return True


def _passwd(root: int) -> bytes:
    """Return the target's passwd file; whatever links lead there, they stay inside its root."""
    try:
        descriptor = open_beneath(root, "etc/passwd", os.O_RDONLY | os.O_NONBLOCK, _IN_ROOT | _NO_MAGICLINKS)
    except CallFailed:
        return b""
    try:
        return os.read(descriptor, _MAX_PASSWD_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


# --- the agent --------------------------------------------------------------------------------------------------------


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
        self._tell_of_the_end()
        self._end()

    def _end(self) -> None:
        """End and reap the programs; the target's first process would have to do it, and many never do."""
        for channel in self._channels.values():
            channel.signal(signal.SIGRTMIN)
        for channel in self._channels.values():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(channel.pid, 0)

    def _tell_of_the_end(self) -> None:
        for number in self._channels:
            send(b"e", number, b"pyd: the time of this session is over\r\n")

    def _take(self) -> None:
        while len(self._arrived) >= _HEADER.size:
            kind, number, size = _HEADER.unpack_from(self._arrived)
            if len(self._arrived) < _HEADER.size + size:
                return
            data = bytes(self._arrived[_HEADER.size : _HEADER.size + size])
            del self._arrived[: _HEADER.size + size]
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
                    channel.say(data)
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
            os.symlink(_TOOLBOX, _PREFIX)  # tools run only from there, also next to a target that can't be joined
        Agent(float(sys.argv[1])).run()
    finally:
        os._exit(0)
