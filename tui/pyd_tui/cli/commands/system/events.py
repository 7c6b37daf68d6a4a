"""`pyd events`."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pyd_core.client.timestamps import api_timestamp
from pyd_core.errors import EngineUnavailable
from pyd_tui.console.command import PydCommand
from pyd_tui.console.filters import filter_option, parse_filters
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import write_filled
from pyd_tui.console.output import coloured, json_line, write
from pyd_tui.console.render.events import fields, line
from pyd_tui.console.timespec import parse_when

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOptions:
    """Options of `pyd events`; `since` and `until` as the user typed them."""

    since: str | None = None
    until: str | None = None
    filters: tuple[str, ...] = ()
    format: str = ""
    """`json` or a Go template; empty is pyd's own format."""


@click.command(
    "events",
    cls=PydCommand,
    examples=(
        ("pyd events", "show events as they happen"),
        ("pyd events --since 1h --until 0s", "show those of the last hour, then exit"),
        ("pyd events -f type=container -f event=die", "show deaths of containers, with exit codes"),
        ("pyd events --json", "write one JSON document per line"),
        ("pyd events --format '{{.Time}} {{.Action}} {{.Actor.Attributes.name}}'", "format events with a template"),
    ),
)
@click.option("--since", metavar="TIME", help="Show events since a time: 10m, 2025-06-01T12:00, or seconds since 1970.")
@click.option("--until", metavar="TIME", help="Show events until a time; a past one exits after past events.")
@filter_option
@click.option("--format", default="", metavar="TEMPLATE", help="json, or a Go template: '{{.Type}} {{.Action}}'.")
@pass_state
def command(state: State, /, **values: Any) -> None:
    """Show events of the engine as they happen."""
    options = EventsOptions(**values)
    if options.until:
        state.ask_provider(lambda engine: show_events(engine, options, json=state.json))
    else:
        state.run_provider(lambda engine: follow_events(engine, options, json=state.json))


async def show_events(engine: Provider, options: EventsOptions, *, json: bool) -> None:
    """Print events until the end of the given period."""
    async for _ in _print_events(engine, options, _time_ns(options.since), _time_ns(options.until), json=json):
        pass


async def follow_events(engine: Provider, options: EventsOptions, *, json: bool) -> None:
    """Print events forever; after a lost connection, resume from the last event.

    Raises:
        PydError: The first connection to the engine failed.
    """
    from pyd_core.client.backoff import Backoff

    started_ns = _time_ns(options.since) or time.time_ns()
    since = started_ns if options.since else None
    backoff = Backoff()
    connected = False
    disconnected_ns: int | None = None
    while True:
        try:
            async for time_ns in _print_events(engine, options, since, None, json=json):
                if time_ns is not None:
                    since = time_ns + 1
                elif disconnected_ns is not None:
                    _notify(f"the engine answers again, after {(time.time_ns() - disconnected_ns) / 1e9:.1f} s")
                connected, disconnected_ns = True, None
                backoff.reset()
        except EngineUnavailable:
            if not connected:
                raise
        if disconnected_ns is None:
            disconnected_ns = time.time_ns()
            since = since or started_ns
            _notify("the engine stopped answering; waiting for it")
        await backoff.wait()


async def _print_events(
    engine: Provider, options: EventsOptions, since: int | None, until: int | None, *, json: bool
) -> AsyncIterator[int | None]:
    """Print events; yield None once the engine answers, then the time of each event."""
    colour = coloured()
    filters = parse_filters(options.filters)
    async with engine.system.events(since=api_timestamp(since), until=api_timestamp(until), filters=filters) as events:
        yield None
        async for event in events:
            if options.format not in {"", "json"}:
                write_filled(options.format, [fields(event)], {})
            else:
                write((json_line(event) if json or options.format else line(event, colour=colour)) + "\n")
            sys.stdout.flush()
            yield event.time_nano


def _time_ns(text: str | None) -> int | None:
    return parse_when(text, now_ns=time.time_ns()) if text else None


def _notify(text: str) -> None:
    # On stderr, so that stdout holds nothing but events.
    sys.stderr.write(f"pyd: {text}\n")
