"""`pyd logs`: what containers print."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pyd_core.errors import InvalidInput
from pyd_tui.cli.names import ContainerName
from pyd_tui.cli.output import coloured
from pyd_tui.cli.state import State, pass_state
from pyd_tui.cli.verb import Verb
from pyd_tui.cli.when import parse_when

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine
    from pyd_core.logs.stream import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions:
    """What `pyd logs` was asked for.

    Attributes:
        names: The containers.
        follow: Go on with what they print from now on.
        restarts: Follow them through restarts, until they are removed.
        tail: Lines from the end of each; None is all.
        since: Nanoseconds since the epoch, as the next.
        until: None is no end.
        times: Tell when.
    """

    names: tuple[str, ...]
    follow: bool = False
    restarts: bool = False
    tail: int | None = None
    since: int | None = None
    until: int | None = None
    times: bool = False


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
    cls=Verb,
    examples=(
        ("pyd logs web", "all it has printed, errors included"),
        ("pyd logs -f -n 50 web db", "follow two from their last 50 lines, in time order"),
        ("pyd logs -F web", "go on when it restarts"),
        ("pyd logs --since 10m -t web", "the last ten minutes, with times"),
        ("pyd logs --json web | jq .message", "a JSON document a line"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName(), metavar="CONTAINER...")
@click.option("-f", "--follow", is_flag=True, help="Go on with what they print, until they end.")
@click.option("-F", "restarts", is_flag=True, help="The same, through restarts, until they are removed.")
@click.option("-n", "--tail", default="all", metavar="N", callback=_tail, help="Only the last N lines of each.")
@click.option("--since", metavar="TIME", callback=_when, help="Only from then on: 10m, 2025-06-01T12:00, 1748779200.")
@click.option("--until", metavar="TIME", callback=_when, help="Only till then.")
@click.option("-t", "--timestamps", "times", is_flag=True, help="Tell when each line was printed.")
@pass_state
def command(state: State, /, *, follow: bool, restarts: bool, **given: object) -> None:
    """Show what containers print, their standard and error output alike, several merged in time order."""
    options = LogsOptions(follow=follow or restarts, restarts=restarts, **given)  # type: ignore[arg-type]
    work = state.run if options.follow else state.ask
    work(lambda engine: show(engine, options, json=state.json))


async def show(engine: Engine, options: LogsOptions, *, json: bool) -> None:
    """Prints the logs until they end."""
    from pyd_core.engine.names import pick_container  # noqa: PLC0415 - not for help and completion
    from pyd_core.logs.follow import follow  # noqa: PLC0415 - likewise
    from pyd_core.logs.merge import PATIENCE, merge  # noqa: PLC0415 - likewise
    from pyd_tui.cli.render.logs import Lines, records  # noqa: PLC0415 - likewise

    known = await engine.containers.list(all=True)
    found = {summary.id: summary for summary in (pick_container(known, name) for name in options.names)}
    sources = [
        follow(
            engine,
            summary.id,
            tail=options.tail,
            since=options.since,
            until=options.until,
            follow=options.follow,
            restarts=options.restarts,
        )
        for summary in found.values()
    ]
    render: Callable[[Batch], str] = records
    if not json:
        render = Lines([summary.name for summary in found.values()], times=options.times, colour=coloured()).text
    merged = merge(sources, patience=PATIENCE if options.follow else None)
    try:
        async for batch in merged.batches():
            # A batch at a time: a write for each line would cost more than everything before it.
            sys.stdout.buffer.write(render(batch).encode(errors="replace"))
            sys.stdout.buffer.flush()
    finally:
        await merged.aclose()
