"""`pyd logs`: what containers print."""

from __future__ import annotations

import time

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
        ("pyd logs web", "all it has printed, errors included"),
        ("pyd logs -f -n 50 web db", "follow two from their last 50 lines, in time order"),
        ("pyd logs -F web", "go on when it restarts"),
        ("pyd logs --since 10m -t web", "the last ten minutes, with times"),
        ("pyd logs --json web | jq .message", "a JSON document a line"),
        ("pyd logs --all --grep 'timeout|refused'", "look in every container's log, the stopped ones too"),
    ),
)
@click.argument("names", nargs=-1, type=ContainerName(), metavar="CONTAINER...")
@click.option("-f", "--follow", is_flag=True, help="Go on with what they print, until they end.")
@click.option("-F", "restarts", is_flag=True, help="The same, through restarts, until they are removed.")
@click.option("-n", "--tail", default="all", metavar="N", callback=_tail, help="Only the last N lines of each.")
@click.option("--since", metavar="TIME", callback=_when, help="Only from then on: 10m, 2025-06-01T12:00, 1748779200.")
@click.option("--until", metavar="TIME", callback=_when, help="Only till then.")
@click.option("-t", "--timestamps", "times", is_flag=True, help="Tell when each line was printed.")
@click.option("-a", "--all", is_flag=True, help="Every container, running or not.")
@click.option("--grep", metavar="REGEX", help="Only lines in which this is found; exit code 1 if there are none.")
@click.option("-i", "--ignore-case", is_flag=True, help="Find it whatever its case.")
@pass_state
def command(state: State, /, *, follow: bool, restarts: bool, **given: object) -> None:
    """Show what containers print, their standard and error output alike, several merged in time order."""
    options = LogsOptions(follow=follow or restarts, restarts=restarts, **given)  # type: ignore[arg-type]
    if bool(options.names) == options.all:
        raise click.UsageError("name containers, or ask for --all" if not options.all else "either names or --all")
    if options.grep is not None:
        _ = log_pattern(options).expression  # what makes no sense is said before anything is asked
    if options.all and options.grep is not None and not options.follow:
        count = state.run(lambda engine: search_logs(engine, options, json=state.json))
    else:
        work = state.run if options.follow else state.ask
        count = work(lambda engine: print_logs(engine, options, json=state.json))
    if not count and options.grep is not None:
        raise click.exceptions.Exit(1)
