"""conmon supervises a container: its standard streams, its log, its exit code. It outlives the engine.

Protocol, from conmon's sources: it waits for a byte on `_OCI_STARTPIPE`, then runs the runtime's `create`. It reports a
line of JSON on `_OCI_SYNCPIPE` with the container's pid (`data`), or -1 and a message. The exit code goes to a file in
the exit directory that is named after the container. See conmon(8).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.containers.record import ProcessRecord
from pyd_core.daemon.limits import SCARCE
from pyd_core.daemon.runtime import subprocesses
from pyd_core.daemon.runtime.oci import Runtime, failure
from pyd_core.errors import EngineError, Unsupported
from pyd_core.linux.reaper import exit_code

SEARCH_PATH = "/usr/bin:/usr/libexec/podman:/usr/local/bin:/usr/lib/podman"


def find() -> str:
    """Return conmon's path.

    Raises:
        Unsupported: It isn't installed.
    """
    path = shutil.which("conmon") or shutil.which("conmon", path=SEARCH_PATH)
    if path is None:
        raise Unsupported("conmon is missing", hint="apt-get install conmon", reference="no-conmon")
    return path


@dataclass(frozen=True, kw_only=True)
class ConmonOptions:
    """Settings of a container for conmon."""

    key: str
    bundle: Path
    log: Path | None
    """The log file; None discards the output."""
    exits: Path
    tty: bool
    stdin: bool
    keep_stdin: bool
    """Whether standard input stays open when an attached client disconnects."""
    log_size: int = 0
    """Bytes after which the log is truncated; 0 is unlimited."""


async def create(conmon: str, runtime: Runtime, options: ConmonOptions) -> tuple[ProcessRecord, ProcessRecord]:
    """Let conmon create a container, ready to start.

    Returns:
        The container's first process and conmon.

    Raises:
        EngineError: The runtime refused, with its message.
    """
    pidfile = options.bundle / "conmon.pid"
    command = _command(conmon, runtime, options, pidfile)
    sync, sync_in = os.pipe()
    try:
        start, start_in = os.pipe()
    except OSError:
        os.close(sync)
        os.close(sync_in)
        raise
    env = {
        "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        "_OCI_SYNCPIPE": str(sync_in),
        "_OCI_STARTPIPE": str(start),
    }
    os.write(start_in, b"\0")
    try:
        process = await subprocesses.spawn(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=env,
            cwd=options.bundle,
            pass_fds=(sync_in, start),
            start_new_session=True,
        )
    except BaseException:
        os.close(sync)
        raise
    finally:
        os.close(sync_in)
        os.close(start)
        os.close(start_in)
    with subprocesses.awaiting(process):
        line = await _first_line(sync)
        await subprocesses.ended(process.pid)  # it forked: the process that supervises the container keeps running
        process.wait()
    try:
        report = json.loads(line)
        pid = int(report["data"])
    except (ValueError, KeyError, TypeError):
        await _end_failed(pidfile)
        output = line[:200].decode(errors="replace").strip() or "it said nothing"
        raise EngineError(f"conmon gave up before the container was made: {output}") from None
    if pid < 0:
        await _end_failed(pidfile)
        message = (options.bundle / "runtime.log").read_bytes() if (options.bundle / "runtime.log").exists() else b""
        raise failure(runtime.name, message or str(report.get("message", "")).encode())
    return ProcessRecord.of(pid), _holder(pidfile)


def _command(conmon: str, runtime: Runtime, options: ConmonOptions, pidfile: Path) -> list[str]:
    command = [
        conmon,
        "--api-version",
        "1",
        "-c",
        options.key,
        "-u",
        options.key,
        "-r",
        runtime.path,
        "-b",
        str(options.bundle),
    ]
    command += [
        "-p",
        str(options.bundle / "pid"),
        "-P",
        str(pidfile),
        "-n",
        options.key,
        "--exit-dir",
        str(options.exits),
    ]
    command += [
        "-l",
        f"k8s-file:{options.log}" if options.log is not None else "none",
        "--no-sync-log",
        "--full-attach",
        "--persist-dir",
        str(options.bundle),
    ]
    for argument in runtime.arguments[1:]:
        command += ["--runtime-arg", argument]
    command += ["--log-level", "error"]
    if runtime.is_runc:
        command += ["--runtime-arg", "--log-format=json", "--runtime-arg", f"--log={options.bundle / 'runtime.log'}"]
    if options.tty:
        command.append("-t")
    if options.stdin:
        command.append("-i")
        if options.keep_stdin:
            command.append("--leave-stdin-open")
    if options.log_size:
        command += ["--log-size-max", str(options.log_size)]
    return command


async def exit_status(file: Path) -> tuple[int, int]:
    """Return a container's exit code and end time in nanoseconds since the epoch, even if no engine was running.

    Raises:
        OSError: The file is missing.
        ValueError: It contains no number.
    """
    while True:
        try:
            return int(file.read_text()), file.stat().st_mtime_ns  # noqa: ASYNC240 - on a tmpfs
        except OSError as error:
            if error.errno not in SCARCE:
                raise
        await asyncio.sleep(subprocesses.SCARCE_INTERVAL_S)


def give_streams(main: ProcessRecord) -> None:
    """Give a container's streams to the user of its first process, which runs in a user namespace.

    The runtime can't do that there, as they belong to the host's root. Only their owner can open them by name
    (`/dev/stdout`).
    """
    with contextlib.suppress(OSError):  # it ended immediately
        status = Path(f"/proc/{main.pid}/status").read_text()
        uid = int(status.partition("\nUid:")[2].split()[1])
        for number in range(3):
            path = f"/proc/{main.pid}/fd/{number}"
            if stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH116 - through the link, wherever it points
                os.chown(path, uid, -1)


def reopen_log(bundle: Path) -> None:
    """Let conmon reopen its log after a rename (ctrl.c of its sources); nothing happens if it has just ended."""
    with contextlib.suppress(OSError):
        fd = os.open(bundle / "ctl", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(fd, b"2 0 0\n")
        finally:
            os.close(fd)


async def end(holder: ProcessRecord) -> None:
    """End and reap a conmon whose container is gone: it became this process's child when it detached."""
    if holder.lives:
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGKILL)
        await subprocesses.ended(holder.pid)
    exit_code(holder.pid)


def _holder(pidfile: Path) -> ProcessRecord:
    return ProcessRecord.of(int(pidfile.read_text()))


async def _end_failed(pidfile: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # it may have ended before it forked
        await end(_holder(pidfile))


async def _first_line(fd: int) -> bytes:
    """Read the report; conmon keeps the pipe open until the container ends."""
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[bytes] = loop.create_future()
    output = bytearray()
    os.set_blocking(fd, False)

    def readable() -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        output.extend(data)
        if (not data or b"\n" in data) and not finished.done():
            finished.set_result(bytes(output))

    loop.add_reader(fd, readable)
    try:
        return await finished
    finally:
        loop.remove_reader(fd)
        os.close(fd)
