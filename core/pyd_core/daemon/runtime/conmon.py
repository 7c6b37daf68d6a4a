"""conmon holds a container: its standard streams, its log, its exit code. It outlives the engine.

Protocol, from conmon's sources: it waits for a byte on `_OCI_STARTPIPE`, then runs the runtime's `create`, and reports
on `_OCI_SYNCPIPE` a line of JSON with the container's pid (`data`), or -1 and a message. The exit code goes to a file
named after the container in the exit directory. See conmon(8).
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

SEARCH = "/usr/bin:/usr/libexec/podman:/usr/local/bin:/usr/lib/podman"


def find() -> str:
    """Returns conmon's path.

    Raises:
        Unsupported: It isn't installed.
    """
    path = shutil.which("conmon") or shutil.which("conmon", path=SEARCH)
    if path is None:
        raise Unsupported("conmon is missing", hint="apt-get install conmon", reference="no-conmon")
    return path


@dataclass(frozen=True, kw_only=True)
class ConmonOptions:
    """What conmon is told about a container."""

    key: str
    bundle: Path
    log: Path | None
    """Where what it prints is kept; None is nowhere."""
    exits: Path
    tty: bool
    stdin: bool
    keep_stdin: bool
    """Whether standard input stays open when an attached client leaves."""
    log_size: int = 0
    """Bytes after which the log begins anew; 0 is no limit."""


async def create(conmon: str, runtime: Runtime, hold: ConmonOptions) -> tuple[ProcessRecord, ProcessRecord]:
    """Has conmon create a container, ready to be started.

    Returns:
        The container's first process and conmon.

    Raises:
        EngineError: The runtime refused; with its words.
    """
    pidfile = hold.bundle / "conmon.pid"
    command = _command(conmon, runtime, hold, pidfile)
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
            cwd=hold.bundle,
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
        told = await _first_line(sync)
        await subprocesses.ended(process.pid)  # it forked: the one that holds the container lives on
        process.wait()
    try:
        report = json.loads(told)
        pid = int(report["data"])
    except (ValueError, KeyError, TypeError):
        await _give_up(pidfile)
        last = told[:200].decode(errors="replace").strip() or "it said nothing"
        raise EngineError(f"conmon gave up before the container was made: {last}") from None
    if pid < 0:
        await _give_up(pidfile)
        said = (hold.bundle / "runtime.log").read_bytes() if (hold.bundle / "runtime.log").exists() else b""
        raise failure(runtime.name, said or str(report.get("message", "")).encode())
    return ProcessRecord.of(pid), _holder(pidfile)


def _command(conmon: str, runtime: Runtime, hold: ConmonOptions, pidfile: Path) -> list[str]:
    command = [conmon, "--api-version", "1", "-c", hold.key, "-u", hold.key, "-r", runtime.path, "-b", str(hold.bundle)]
    command += ["-p", str(hold.bundle / "pid"), "-P", str(pidfile), "-n", hold.key, "--exit-dir", str(hold.exits)]
    command += [
        "-l",
        f"k8s-file:{hold.log}" if hold.log is not None else "none",
        "--no-sync-log",
        "--full-attach",
        "--persist-dir",
        str(hold.bundle),
    ]
    for argument in runtime.arguments[1:]:
        command += ["--runtime-arg", argument]
    command += ["--log-level", "error"]
    if runtime.is_runc:
        command += ["--runtime-arg", "--log-format=json", "--runtime-arg", f"--log={hold.bundle / 'runtime.log'}"]
    if hold.tty:
        command.append("-t")
    if hold.stdin:
        command.append("-i")
        if hold.keep_stdin:
            command.append("--leave-stdin-open")
    if hold.log_size:
        command += ["--log-size-max", str(hold.log_size)]
    return command


async def exit_status(file: Path) -> tuple[int, int]:
    """Reads a container's exit code, and when it ended in nanoseconds since the epoch: no engine may have watched.

    Raises:
        OSError: There is no such file.
        ValueError: It holds no number.
    """
    while True:
        try:
            return int(file.read_text()), file.stat().st_mtime_ns  # noqa: ASYNC240 - on a tmpfs
        except OSError as error:
            if error.errno not in SCARCE:
                raise
        await asyncio.sleep(subprocesses.SCARCE_INTERVAL_S)


def give_streams(main: ProcessRecord) -> None:
    """Gives its streams to the user a container's first process is, which runs in a user namespace.

    There the runtime may not, as they belong to the host's root; and by name, `/dev/stdout`, only their owner may
    open them.
    """
    with contextlib.suppress(OSError):  # it ended at once
        status = Path(f"/proc/{main.pid}/status").read_text()
        uid = int(status.partition("\nUid:")[2].split()[1])
        for number in range(3):
            path = f"/proc/{main.pid}/fd/{number}"
            if stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH116 - through the link, whatever that says
                os.chown(path, uid, -1)


def reopen_log(bundle: Path) -> None:
    """Has it open its log anew, after a rename (ctrl.c of its sources); no complaint when it is just gone."""
    with contextlib.suppress(OSError):
        fd = os.open(bundle / "ctl", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(fd, b"2 0 0\n")
        finally:
            os.close(fd)


async def end(holder: ProcessRecord) -> None:
    """Ends a conmon whose container is gone, and takes it away: it fell to this process when it detached."""
    if holder.lives:
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGKILL)
        await subprocesses.ended(holder.pid)
    exit_code(holder.pid)


def _holder(pidfile: Path) -> ProcessRecord:
    return ProcessRecord.of(int(pidfile.read_text()))


async def _give_up(pidfile: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # it may have ended before it forked
        await end(_holder(pidfile))


def kill(bundle: Path, key: str) -> None:
    """Ends the conmon of a start that was cut short, while it may still be making the container."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((bundle / "conmon.pid").read_text())
        if key.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


async def _first_line(fd: int) -> bytes:
    """Reads the report; the pipe itself stays open in conmon until the container ends."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[bytes] = loop.create_future()
    found = bytearray()
    os.set_blocking(fd, False)

    def readable() -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        found.extend(data)
        if (not data or b"\n" in data) and not over.done():
            over.set_result(bytes(found))

    loop.add_reader(fd, readable)
    try:
        return await over
    finally:
        loop.remove_reader(fd)
        os.close(fd)
