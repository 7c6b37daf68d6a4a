"""Starting short-lived programs and knowing when any process ends, without a thread for each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pyd_core.daemon.limits import SCARCE

READ = 1 << 16
COMPLAINT = 1 << 20
"""Bytes kept of what a program complains of; the rest is read, and forgotten."""
Taker = Callable[[bytes], None]
"""Takes what a program prints, piece by piece; what it raises ends the program."""

SCARCE_INTERVAL_S = 0.1
"""Between two tries to get what is scarce."""
SPAWN_TIMEOUT_S = 10.0

awaited: set[int] = set()
"""Programs started here whose end somebody waits for: nobody else may take them away."""


@dataclass(frozen=True)
class CompletedProgram:
    """How a program ended: its exit code (negative for a signal) and what it printed."""

    code: int
    out: bytes
    err: bytes


async def ended(pid: int) -> None:
    """Returns when a process has ended; at once if it is gone already. It need not be a child of ours."""
    while True:
        try:
            fd = os.pidfd_open(pid)
            break
        except ProcessLookupError:
            return
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            await asyncio.sleep(SCARCE_INTERVAL_S)
    loop = asyncio.get_running_loop()
    try:
        over: asyncio.Future[None] = loop.create_future()
        loop.add_reader(fd, lambda: None if over.done() else over.set_result(None))
        await over
    finally:
        loop.remove_reader(fd)
        os.close(fd)


async def spawn(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Starts a program as `subprocess.Popen` does; where the machine has no process left for it, a little later.

    Raises:
        OSError: It can't be started; EAGAIN and the like only after `SPAWN_TIMEOUT_S`.
    """
    deadline = asyncio.get_running_loop().time() + SPAWN_TIMEOUT_S
    while True:
        try:
            started = subprocess.Popen(command, **options)  # noqa: ASYNC220 - vfork and exec: under a millisecond
            return cast("subprocess.Popen[bytes]", started)
        except OSError as error:
            if error.errno not in SCARCE or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(SCARCE_INTERVAL_S)


@contextlib.contextmanager
def awaiting(process: subprocess.Popen[bytes], *, group: bool = False) -> Iterator[None]:
    """Keeps a program for the caller, who waits for its end; one left early is killed, and falls to the orphans.

    Args:
        process: The program.
        group: Whether it leads a process group, to be killed whole.
    """
    awaited.add(process.pid)
    try:
        yield
    finally:
        awaited.discard(process.pid)
        if process.returncode is None:
            if group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


async def drain(fd: int, take: Taker) -> None:
    """Reads a pipe to its end and closes it."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    os.set_blocking(fd, False)

    def readable() -> None:
        try:
            data = os.read(fd, READ)
            if data:
                take(data)
            elif not over.done():
                over.set_result(None)
        except BlockingIOError:
            pass
        except Exception as error:  # noqa: BLE001 - the caller's, and told to it
            if not over.done():
                over.set_exception(error)

    loop.add_reader(fd, readable)
    try:
        await over
    finally:
        loop.remove_reader(fd)
        os.close(fd)


async def run(
    command: Sequence[str],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    quiet: bool = False,
    out: Taker | None = None,
    group: bool = False,
) -> CompletedProgram:
    """Runs a program to its end; cancelling kills it.

    Args:
        command: Program and arguments.
        stdin: What it reads; short enough for a pipe's buffer (64 KiB).
        env: Its whole environment; ours if left out.
        cwd: Its working directory.
        quiet: Give it nowhere to print to: for one that leaves a process behind, which would hold the pipes open.
        out: Takes what it prints, which is then not returned.
        group: Cancelling kills all that it has started too.
    """
    fds: list[int] = []
    theirs: list[int] = []
    try:
        for _ in range(0 if quiet else 2):
            reading, writing = os.pipe()
            fds.append(reading)
            theirs.append(writing)
        process = await spawn(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else theirs[0],
            stderr=subprocess.DEVNULL if quiet else theirs[1],
            env=env,
            cwd=cwd,
            process_group=0 if group else None,
        )
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    finally:
        for fd in theirs:
            os.close(fd)
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as given:
            given.write(stdin)
    printed, complained = bytearray(), bytearray()
    takers: list[Taker] = [
        out or printed.extend,
        lambda data: complained.extend(data[: max(0, COMPLAINT - len(complained))]),
    ]
    with awaiting(process, group=group):
        await asyncio.gather(*map(drain, fds, takers))
        await ended(process.pid)
        code = process.wait()  # it has ended: doesn't block
    return CompletedProgram(code, bytes(printed), bytes(complained))


def start_time(pid: int) -> int:
    """Returns when a process started, in clock ticks since boot (`proc_pid_stat(5)`, field 22); 0 if it is gone.

    With the pid it names a process for good: pids are used again.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - called for every container on start
            text = stat.read()
    except OSError:
        return 0
    fields = text[text.rindex(b")") + 2 :].split()
    return 0 if fields[0] in {b"Z", b"X"} else int(fields[19])
