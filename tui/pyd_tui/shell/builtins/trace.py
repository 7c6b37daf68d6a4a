"""`trace`: a process's system calls of one kind."""

from __future__ import annotations

import datetime as dt
import sys

import click

from pyd_core.debug.inspectors.processes import find_process, target_pid
from pyd_core.debug.inspectors.system_calls import CALLS, CallEvent, parse_trace
from pyd_core.debug.inspectors.tools import lines_of, merged, timed, tool
from pyd_core.sanitise import safe
from pyd_tui.console.output import json_line, write
from pyd_tui.shell.builtins.process import ProcessId
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "trace",
    cls=BuiltinCommand,
    examples=(
        ("trace open 1", "the files it opens, or fails to find"),
        ("trace connect 8 -n 10", "its next ten connections"),
        ("trace exec 1 --seconds 30 --json", "the programs it starts, as JSON"),
    ),
)
@click.argument("kind", type=click.Choice(sorted(CALLS)))
@click.argument("pid", type=ProcessId(), required=False, metavar="[PID]")
@click.option("-n", "--count", type=click.IntRange(min=1), metavar="N", help="Stop after N events.")
@click.option("--seconds", type=float, metavar="N", help="Stop after N seconds.")
@pass_shell
def command(shell: ShellContext, /, *, kind: str, pid: int | None, count: int | None, seconds: float | None) -> None:
    """Show the programs, files, connections or signals of a process and its children, until ctrl-c."""
    host_pid = find_process(shell.access, pid)
    number = target_pid(shell.access.proc(host_pid, "status"), host_pid)
    signals = "all" if kind == "signal" else "none"
    options = ["-f", "-qq", "-ttt", "-s", "200", "-e", f"trace={CALLS[kind]}", "-e", f"signal={signals}"]
    process = shell.access.start(merged(timed([tool("strace"), *options, "-p", str(number)], seconds)))
    seen = 0
    try:
        process.close_input()
        for event in parse_trace(lines_of(process), number):
            if event.call == "end" and kind != "signal":
                continue
            write_event(event, json=shell.json)
            seen += 1
            if seen == count:
                break
    except KeyboardInterrupt:
        pass
    finally:
        process.end()


def write_event(event: CallEvent, *, json: bool) -> None:
    """Write one event as a line, and flush it."""
    if json:
        write(json_line({**_plain(event), "subject": event.subject}) + "\n")
    else:
        clock = dt.datetime.fromtimestamp(event.time, tz=dt.UTC).astimezone()
        result = event.error or event.result
        head = f"{clock:%H:%M:%S.%f} {event.pid or '':>7} {event.call:<8}"
        write(f"{head} {safe(event.subject)} {safe(result)}".rstrip() + "\n")
    sys.stdout.flush()


def _plain(event: CallEvent) -> dict[str, object]:
    return {field: getattr(event, field) for field in event.__struct_fields__}
