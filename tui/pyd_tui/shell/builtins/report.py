"""`report`: an archive of everything known about the target."""

from __future__ import annotations

import io
import tarfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from pyd_core.client.provider import Provider
from pyd_core.debug.inspectors.capabilities import read_rights
from pyd_core.debug.inspectors.cgroup import read_cgroup
from pyd_core.debug.inspectors.descriptors import list_descriptors
from pyd_core.debug.inspectors.limits import read_limits
from pyd_core.debug.inspectors.mounts import list_mounts
from pyd_core.debug.inspectors.network import read_network
from pyd_core.debug.inspectors.processes import find_process, list_processes
from pyd_core.debug.inspectors.programs import examine_start, lint
from pyd_core.debug.inspectors.sockets import list_sockets
from pyd_core.debug.inspectors.stacks import read_stack
from pyd_core.debug.inspectors.variables import configured_variables, mask, read_variables
from pyd_core.errors import Conflict, PydError, Refused
from pyd_core.humanize import size
from pyd_core.linux.kmsg import read_kernel_log
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine
from pyd_core.sanitise import safe
from pyd_core.triage.api import explain
from pyd_core.triage.text_report import describe
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins import stack
from pyd_tui.shell.builtins.asking import ask, ask_engine
from pyd_tui.shell.builtins.pod_report import mask_pod, pod_sources
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

MAX_STACKS = 32
"""Processes whose stacks are included."""
MAX_LOG_LINES = 100_000
MAX_LOG_BYTES = 32 << 20
"""Bytes of the end of the log."""


@click.command(
    "report",
    cls=BuiltinCommand,
    examples=(
        ("report", "NAME-TIME.tar.gz on this machine, without secrets"),
        ("report web.tar.gz --show", "with secrets, into this file"),
    ),
)
@click.argument("file", type=click.Path(path_type=Path), required=False, metavar="[FILE]")
@click.option("--show", is_flag=True, help="Include secrets.")
@pass_shell
def command(shell: ShellContext, /, *, file: Path | None, show: bool) -> None:
    """Write inspect data, verdict, logs, processes, sockets, stacks, cgroup and kernel log lines into one archive."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in shell.name).lstrip(".")
    path = file or Path(f"{name}-{stamp}.tar.gz")
    parts, failures = collect(shell, show=show)
    if failures:
        parts["missing.txt"] = "".join(f"{part}: {why}\n" for part, why in failures.items()).encode()
    try:
        with path.open("xb") as out, tarfile.open(fileobj=out, mode="w:gz") as tar:
            for part, data in parts.items():
                entry = tarfile.TarInfo(f"{name}-{stamp}/{part}")
                entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
                tar.addfile(entry, io.BytesIO(data))
        path.chmod(0o600)
    except FileExistsError as error:
        raise Conflict(f"{safe(str(path))} exists", hint="name another", reference="file-exists") from error
    except OSError as error:
        raise Refused(f"{safe(str(path))} can't be written: {error.strerror}") from error
    if shell.json:
        write_json({"file": str(path), "parts": sorted(parts), "missing": failures})
    else:
        without = f"; without {', '.join(failures)} (see missing.txt)" if failures else ""
        click.echo(f"pyd: {size(path.stat().st_size)} in {safe(str(path))}{without}", err=True)


def collect(shell: ShellContext, *, show: bool) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the archive's files by name, and the reasons why others are missing."""
    access = shell.access
    sources: dict[str, Callable[[], bytes]] = {
        "inspect.json": lambda: _inspect(shell, show=show),
        "why.txt": lambda: f"{describe(ask(shell, explain))}\n".encode(errors="replace"),
        "logs.txt": lambda: ask(shell, _logs),
        "ps.json": lambda: _json(list_processes(access)),
        "sockets.json": lambda: _json(list_sockets(access, unix=True)),
        "net.json": lambda: _json(read_network(access)),
        "fds.json": lambda: _json(list_descriptors(access, find_process(access, None))),
        "env.json": lambda: _env(shell, show=show),
        "limits.json": lambda: _json(read_limits(access, find_process(access, None))),
        "caps.json": lambda: _json(read_rights(access, access.main_pid)),
        "mounts.json": lambda: _json(list_mounts(access)),
        "cgroup.json": lambda: _json(read_cgroup(access)),
        "entrypoint.json": lambda: _json({"start": examine_start(access)[0], "findings": lint(access)}),
        "stacks.txt": lambda: _stacks(shell),
        "diff.json": lambda: _json(ask_engine(shell, lambda engine, name: engine.containers.changes(name))),
        "kernel.txt": lambda: _kernel(shell),
    }
    if shell.engine().endpoint.is_cluster:
        sources = {**sources, **pod_sources(shell)}
        del sources["diff.json"], sources["kernel.txt"]
    parts: dict[str, bytes] = {}
    failures: dict[str, str] = {}
    for part, source in sources.items():
        try:
            parts[part] = source()
        except PydError as error:
            failures[part] = error.message
    return parts, failures


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _env(shell: ShellContext, *, show: bool) -> bytes:
    access = shell.access
    if access.container.id and not access.container.state.pid:
        return _json(configured_variables(access.container, show=show))
    return _json(read_variables(access, access.main_pid, show=show))


def _inspect(shell: ShellContext, *, show: bool) -> bytes:
    document: dict[str, Any] = msgspec.json.decode(ask(shell, lambda engine, name: engine.containers.inspect_raw(name)))
    if document.get("kind") == "Pod" and not show:
        mask_pod(document)
    config = document.get("Config")
    if isinstance(config, dict) and not show:
        pairs = (str(entry).partition("=") for entry in config.get("Env") or [])
        config["Env"] = [f"{name}={mask(name, value)}" for name, _, value in pairs]
    return _json(document)


async def _logs(engine: Provider, name: str) -> bytes:
    """Return the last lines, with time and stream; older lines beyond the bounds are dropped."""
    lines: deque[bytes] = deque()
    total = 0
    async for batch in follow(engine, name, tail=MAX_LOG_LINES).batches():
        for line in batch:
            if not isinstance(line, LogLine):
                continue
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(line.time_ns / 1e9))
            lines.append(f"{stamp} {line.stream} ".encode() + line.data + b"\n")
            total += len(lines[-1])
            while total > MAX_LOG_BYTES:
                total -= len(lines.popleft())
    return b"".join(lines)


def _stacks(shell: ShellContext) -> bytes:
    lines: list[str] = []
    for process in list_processes(shell.access)[:MAX_STACKS]:
        result = read_stack(shell.access, process.host_pid)
        lines += [
            f"--- pid {process.pid} {safe(process.command)} ({result.language}, by {result.tool})\n",
            stack.describe(result),
        ]
    return "".join(lines).encode(errors="replace")


def _kernel(shell: ShellContext) -> bytes:
    """Return kernel log lines about memory shortage and this container, if its kernel is this machine's."""
    if shell.engine().endpoint.socket_path is None:
        raise Refused("the engine's kernel log is on another machine")
    container = shell.access.container.id
    words = ("oom", "out of memory", "killed process", "segfault", "traps:", *((container,) if container else ()))
    records = [record for record in read_kernel_log().records if any(word in record.text.lower() for word in words)]
    stamps = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.time_ns / 1e9)) for record in records)
    return "".join(f"{stamp} {safe(record.text)}\n" for stamp, record in zip(stamps, records, strict=True)).encode()
