"""`pyd logs`."""

from __future__ import annotations

import time
from typing import Any

import click

from pyd_core.errors import InvalidInput
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.container_logs import LogsOptions, log_pattern, print_logs, search_logs
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.timespec import parse_when


def _tail(_: click.Context, __: click.Parameter, value: str) -> int | None:
    if value == "all":
        return None
    if not value.isdecimal():
        raise InvalidInput(f"not a number of lines: {value!r}", hint="write a number, or all")
    return int(value)


def _when(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    return None if value is None else parse_when(value, now_ns=time.time_ns())


@click.command(
    "logs",
    cls=PydCommand,
    examples=(
        ("pyd logs web", "show its standard output and error"),
        ("pyd logs -f -n 50 web db", "follow two containers from their last 50 lines, in time order"),
        ("pyd logs -F web", "keep following when it restarts"),
        ("pyd logs --since 10m -t web", "show the last ten minutes, with timestamps"),
        ("pyd logs --json web | jq .message", "write one JSON document per line"),
        ("pyd logs -f deploy/api", "follow all pods of a Kubernetes deployment; later ones join"),
        ("pyd logs --previous pod/web-7f9c", "show the run before the last restart of a pod's container"),
        ("pyd logs --all --grep 'timeout|refused'", "search the logs of all containers, stopped ones too"),
    ),
)
@click.argument("names", nargs=-1, type=ContainerName(), metavar="CONTAINER...")
@click.option("-f", "--follow", is_flag=True, help="Follow log output until the containers stop.")
@click.option(
    "-F", "restarts", is_flag=True, help="Follow log output through restarts, until the containers are removed."
)
@click.option(
    "-n", "--tail", default="all", metavar="N", callback=_tail, help="Show only the last N lines of each container."
)
@click.option(
    "--since", metavar="TIME", callback=_when, help="Show logs since a time: 10m, 2025-06-01T12:00, 1748779200."
)
@click.option("--until", metavar="TIME", callback=_when, help="Show logs before a time.")
@click.option("-t", "--timestamps", "times", is_flag=True, help="Show timestamps.")
@click.option("-a", "--all", is_flag=True, help="Show the logs of all containers.")
@click.option("-p", "--previous", is_flag=True, help="In a cluster: show only the run before the last restart.")
@click.option(
    "-l", "--selector", metavar="LABELS", default="", help="Show the logs of a cluster's pods with these labels."
)
@click.option("--grep", metavar="REGEX", help="Show only lines that match; the exit code is 1 if there are none.")
@click.option("-i", "--ignore-case", is_flag=True, help="Ignore case when matching.")
@pass_state
def command(state: State, /, *, follow: bool, restarts: bool, **values: Any) -> None:
    """Show the logs of one or more containers, merged in time order."""
    state = state.for_subjects(values["names"])
    options = LogsOptions(follow=follow or restarts, restarts=restarts, **values)
    if options.previous and options.follow:
        raise click.UsageError("--previous and --follow can't be combined: that run has ended")
    if options.selector and (options.names or options.all):
        raise click.UsageError("--selector can't be combined with names or --all")
    if not options.selector and bool(options.names) == options.all:
        raise click.UsageError(
            "name containers, or use --all" if not options.all else "names and --all can't be combined"
        )
    if options.grep is not None:
        _ = log_pattern(options).expression  # report a malformed pattern before any request
    if options.all and options.grep is not None and not options.follow:
        count = state.run_provider(lambda engine: search_logs(engine, options, json=state.json))
    else:
        work = state.run_provider if options.follow else state.ask_provider
        count = work(lambda engine: print_logs(engine, options, json=state.json))
    if not count and options.grep is not None:
        raise click.exceptions.Exit(1)
