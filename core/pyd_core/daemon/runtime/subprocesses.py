"""Short-lived programs, and notification of the end of any process, without a thread for each."""

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

READ_BYTES = 1 << 16
MAX_ERROR_BYTES = 1 << 20
"""Limit for a program's error output; the rest is discarded."""
OnOutput = Callable[[bytes], None]
"""Callback for a program's output, chunk by chunk; an exception from it ends the program."""

SCARCE_INTERVAL_S = 0.1
"""Time between two attempts when a resource is exhausted."""
SPAWN_TIMEOUT_S = 10.0

awaited: set[int] = set()
"""Programs started here that are being waited for: nothing else may reap them."""


@dataclass(frozen=True)
class CompletedProgram:
    """Result of a program: its exit code (negative for a signal) and its output."""

    code: int
    out: bytes
    err: bytes


async def ended(pid: int) -> None:
    """Wait for the end of a process, which need not be a child; return immediately if it is gone."""
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
        finished: asyncio.Future[None] = loop.create_future()
        loop.add_reader(fd, lambda: None if finished.done() else finished.set_result(None))
        await finished
    finally:
        loop.remove_reader(fd)
        os.close(fd)


async def spawn(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program as `subprocess.Popen` does, retrying while the machine is out of processes.

    Raises:
        OSError: It can't be started; EAGAIN and similar errors only after `SPAWN_TIMEOUT_S`.
    """
    deadline = asyncio.get_running_loop().time() + SPAWN_TIMEOUT_S
    while True:
        try:
            started = subprocess.Popen(command, **options)  # noqa: ASYNC220 - vfork and exec take under a millisecond
            return cast("subprocess.Popen[bytes]", started)
        except OSError as error:
            if error.errno not in SCARCE or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(SCARCE_INTERVAL_S)


@contextlib.contextmanager
def awaiting(process: subprocess.Popen[bytes], *, group: bool = False) -> Iterator[None]:
    """Reserve a program for the caller, who waits for its end; if still running, it is killed and left to the reaper.

    Args:
        process: The program.
        group: Whether it leads a process group, which is then killed.
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


async def drain(fd: int, on_output: OnOutput) -> None:
    """Read a pipe to its end and close it."""
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()
    os.set_blocking(fd, False)

    def readable() -> None:
        try:
            data = os.read(fd, READ_BYTES)
            if data:
                on_output(data)
            elif not finished.done():
                finished.set_result(None)
        except BlockingIOError:
            pass
        except Exception as error:  # noqa: BLE001 - raised in the caller
            if not finished.done():
                finished.set_exception(error)

    loop.add_reader(fd, readable)
    try:
        await finished
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
    out: OnOutput | None = None,
    group: bool = False,
) -> CompletedProgram:
    """Run a program to its end; cancellation kills it.

    Args:
        command: Program and arguments.
        stdin: Its standard input; must fit a pipe's buffer (64 KiB).
        env: Its complete environment; defaults to this process's.
        cwd: Its working directory.
        quiet: Discard its output: for a program that leaves a process behind, which would hold the pipes open.
        out: Callback for its output, which is then not returned.
        group: Whether cancellation kills all its descendants too.
    """
    fds: list[int] = []
    write_fds: list[int] = []
    try:
        for _ in range(0 if quiet else 2):
            read_fd, write_fd = os.pipe()
            fds.append(read_fd)
            write_fds.append(write_fd)
        process = await spawn(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else write_fds[0],
            stderr=subprocess.DEVNULL if quiet else write_fds[1],
            env=env,
            cwd=cwd,
            process_group=0 if group else None,
        )
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    finally:
        for fd in write_fds:
            os.close(fd)
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(stdin)
    output, errors = bytearray(), bytearray()
    callbacks: list[OnOutput] = [
        out or output.extend,
        lambda data: errors.extend(data[: max(0, MAX_ERROR_BYTES - len(errors))]),
    ]
    with awaiting(process, group=group):
        await asyncio.gather(*map(drain, fds, callbacks))
        await ended(process.pid)
        code = process.wait()  # it has ended, so this doesn't block
    return CompletedProgram(code, bytes(output), bytes(errors))


def start_time(pid: int) -> int:
    """Return the start time of a process, in clock ticks since boot (`proc_pid_stat(5)`, field 22); 0 if it is gone.

    Together with the pid it identifies a process permanently: pids are reused.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - called for every container on start
            text = stat.read()
    except OSError:
        return 0
    fields = text[text.rindex(b")") + 2 :].split()
    return 0 if fields[0] in {b"Z", b"X"} else int(fields[19])
