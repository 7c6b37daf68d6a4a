"""The query agent: a program in a session's view that answers for the target's files and processes.

The client sends its source (`access.query_command`); it needs only the standard library and those modules. `/` is the
target's root there and `/proc` shows the target's processes, which the join ensures. A request is a line of
JSON, `[call, argument..., size]`, and data of that size; an answer is `[error number, value, size]`, and data.

With `connect HOST PORT` as arguments it is a connection instead: four bytes of error number, then both sides' data.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import stat
import sys
from typing import Any, NoReturn

from pyd_core.debug.local_files import scan, write_atomic
from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import open_file, open_in_root

CONNECT_TIMEOUT_S = 5.0
_CHUNK = 65536
_GUESTS = ("pyd-keeper)", "pyd-helper)")
"""Names of a session's first process and a helper's; having come from outside, they have no parent there."""

Answer = tuple[Any, bytes]


def proc(pid: int, name: str, limit: int) -> Answer:
    """Read a file of /proc."""
    file = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    return None, _drain(file, limit)


def proc_link(pid: int, name: str) -> Answer:
    """Read a link of /proc."""
    return os.readlink(f"/proc/{pid}/{name}"), b""


def proc_names(pid: int, name: str) -> Answer:
    """List a directory of /proc."""
    return os.listdir(f"/proc/{pid}/{name}"), b""


def pids(main: int) -> Answer:
    """List the target's processes: those of its cgroup where the pid namespace is shared; never the sessions' own."""
    parents: dict[int, int] = {}
    guests: set[int] = set()
    groups: dict[int, str] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            text = _text(f"/proc/{name}/stat")
            groups[int(name)] = _text(f"/proc/{name}/cgroup") if main != 1 else ""
        except OSError:
            continue  # it has ended
        parents[int(name)] = int(text.rpartition(")")[2].split()[1])
        if parents[int(name)] == 0 and text.partition("(")[2].startswith(_GUESTS):
            guests.add(int(name))
    own = groups.get(main, "")
    return sorted(pid for pid in parents if not _below(pid, guests, parents) and groups[pid].startswith(own)), b""


def _below(pid: int, guests: set[int], parents: dict[int, int]) -> bool:
    for _ in range(len(parents)):
        if pid in guests:
            return True
        if pid not in parents:
            return False
        pid = parents[pid]
    return False


def cgroup(controller: str, name: str) -> Answer:
    """Read a file of the target's cgroup, as far as the target has it mounted."""
    last: OSError = FileNotFoundError(errno.ENOENT, "no cgroup")
    for directory in (f"/sys/fs/cgroup/{controller}", "/sys/fs/cgroup"):
        try:
            return None, _drain(os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY), 1 << 20)
        except OSError as error:
            last = error
    raise last


def listing(path: str) -> Answer:
    """List a directory."""
    directory = open_in_root(_root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOCTTY)
    try:
        return [_entry(name, status, link) for name, status, link in scan(directory)], b""
    finally:
        os.close(directory)


def status(path: str, follow: bool) -> Answer:
    """Return the kind and attributes of a path."""
    descriptor = open_in_root(_root, path, os.O_PATH | (0 if follow else os.O_NOFOLLOW))
    try:
        facts = os.fstat(descriptor)
        link = os.readlink("", dir_fd=descriptor) if stat.S_ISLNK(facts.st_mode) else ""
    finally:
        os.close(descriptor)
    return _entry(path.rstrip("/").rpartition("/")[2] or "/", facts, link), b""


def read_file(path: str, offset: int, limit: int) -> Answer:
    """Read a part of a regular file."""
    file = open_file(_root, path)
    os.lseek(file, offset, os.SEEK_SET)
    return None, _drain(file, limit)


def write_file(path: str, mode: int | None, data: bytes) -> Answer:
    """Write a file atomically."""
    write_atomic(_root, path, data, mode=mode, owner=(0, 0))
    return None, b""


CALLS = {
    call.__name__: call for call in (proc, proc_link, proc_names, pids, cgroup, listing, status, read_file, write_file)
}


def _entry(name: str, facts: os.stat_result, link: str) -> list[Any]:
    return [name, facts.st_mode, facts.st_size, facts.st_uid, facts.st_gid, facts.st_mtime, link]


def _text(path: str) -> str:
    return _drain(os.open(path, os.O_RDONLY | os.O_CLOEXEC), 1 << 16).decode(errors="replace")


def _drain(file: int, limit: int) -> bytes:
    parts: list[bytes] = []
    try:
        while limit > 0 and (part := os.read(file, min(limit, 1 << 20))):
            parts.append(part)
            limit -= len(part)
    finally:
        os.close(file)
    return b"".join(parts)


def _serve() -> None:
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := requests.readline():
        call, *arguments, size = json.loads(line)
        if size:
            arguments.append(requests.read(size))
        number, value, data = 0, None, b""
        try:
            value, data = CALLS[call](*arguments)
        except (KernelError, OSError) as error:
            number = error.errno or errno.EIO
        # Names that aren't UTF-8 come as lone surrogates, and go as escapes.
        answers.write(json.dumps([number, value, len(data)]).encode() + b"\n" + data)
        answers.flush()


def _connect(host: str, port: int) -> None:
    number = 0
    connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(CONNECT_TIMEOUT_S)
    try:
        connection.connect((host, port))
    except TimeoutError:
        number = errno.ETIMEDOUT
    except OSError as error:
        number = error.errno or errno.EIO
    os.write(1, number.to_bytes(4, "big"))
    if number:
        return
    connection.settimeout(None)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(connection, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == 0:
                data = os.read(0, _CHUNK)
                if data:
                    connection.sendall(data)
                    continue
                poll.unregister(0)
                connection.shutdown(socket.SHUT_WR)
            else:
                data = connection.recv(_CHUNK)
                if not data:
                    return
                while data:
                    data = data[os.write(1, data) :]


_root = -1


def main(arguments: list[str]) -> NoReturn:
    """Answer until its input ends, or is the connection that the arguments ask for."""
    global _root  # noqa: PLW0603 - opened where the target's root is in sight
    try:
        if arguments:
            _connect(arguments[1], int(arguments[2]))
        else:
            _root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            _serve()
    except OSError:
        pass  # the other side is gone
    finally:
        os._exit(0)
