"""`pyd events`: what happens on the engine."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pyd_core.engine.since import seconds
from pyd_tui.cli.filters import filter_option, parse_filters
from pyd_tui.cli.output import coloured, json_line, write
from pyd_tui.cli.render.events import line
from pyd_tui.cli.state import State, pass_state
from pyd_tui.cli.verb import Verb
from pyd_tui.cli.when import parse_when

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOptions:
    """What `pyd events` was asked for; `since` and `until` as written."""

    since: str | None = None
    until: str | None = None
    filters: tuple[str, ...] = ()


@click.command(
    "events",
    cls=Verb,
    examples=(
        ("pyd events", "from now on"),
        ("pyd events --since 1h --until 0s", "the last hour, then end"),
        ("pyd events -f type=container -f event=die", "deaths, with their exit codes"),
        ("pyd events --json", "a JSON document a line, as the engine sends them"),
    ),
)
@click.option("--since", metavar="TIME", help="From then on: 10m, 2025-06-01T12:00, or seconds since 1970.")
@click.option("--until", metavar="TIME", help="Till then; a moment ago ends after what has been.")
@filter_option
@pass_state
def command(state: State, /, **given: object) -> None:
    """Show what happens on the engine, as it happens."""
    options = EventsOptions(**given)  # type: ignore[arg-type]
    state.ask(lambda engine: show(engine, options, json=state.json))


async def show(engine: Engine, options: EventsOptions, *, json: bool) -> None:
    """Prints events until the stream ends."""
    now = time.time_ns()
    since = seconds(parse_when(options.since, now_ns=now)) if options.since else None
    until = seconds(parse_when(options.until, now_ns=now)) if options.until else None
    colour = coloured()
    async with engine.system.events(since=since, until=until, filters=parse_filters(options.filters)) as events:
        async for event in events:
            write((json_line(event) if json else line(event, colour=colour)) + "\n")
            sys.stdout.flush()
