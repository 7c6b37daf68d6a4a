"""`logs`: the target's output."""

from __future__ import annotations

import time
from typing import Any

import click

from pyd_tui.console.container_logs import LogsOptions, print_logs
from pyd_tui.console.timespec import parse_when
from pyd_tui.shell.builtins.asking import ask, listen
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "logs",
    cls=BuiltinCommand,
    examples=(
        ("logs", "its last 100 lines"),
        ("logs -n 1000 --grep 'timeout|refused'", "only lines that match"),
        ("logs --since 10m -t", "the last ten minutes, with times"),
        ("logs -f -n 5", "follow new output, until it ends or ctrl-c"),
    ),
)
@click.option("-f", "--follow", is_flag=True, help="Follow new output, until it ends or ctrl-c.")
@click.option("-n", "--tail", type=click.IntRange(min=0), default=100, show_default=True, help="The last N lines.")
@click.option("--since", metavar="TIME", help="Only lines since then: 10m, 2025-06-01T12:00.")
@click.option("-t", "--timestamps", "times", is_flag=True, help="Show each line's time.")
@click.option("--grep", metavar="REGEX", help="Only lines that match; exit code 1 if there are none.")
@click.option("-i", "--ignore-case", is_flag=True, help="Ignore case in --grep.")
@pass_shell
def command(shell: ShellContext, /, *, follow: bool, tail: int, since: str | None, **shown: Any) -> int:
    """Show the output of the target's main process, as the engine recorded it."""
    since_ns = parse_when(since, now_ns=time.time_ns()) if since is not None else None
    lines = None if since is not None else tail
    count = (listen if follow else ask)(
        shell,
        lambda engine, name: print_logs(
            engine,
            LogsOptions(names=(name,), follow=follow, tail=lines, since=since_ns, **shown),
            json=shell.json,
        ),
    )
    return 1 if shown["grep"] is not None and not count else 0
