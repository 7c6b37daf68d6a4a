"""`pyd stats`: what containers use."""

from __future__ import annotations

from dataclasses import dataclass

import click

from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.object_names import ContainerName
from pyd_tui.console.command import Verb
from pyd_tui.console.listing import format_option


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsOptions:
    """What `pyd stats` was asked for.

    Attributes:
        names: Containers; none are all.
        all: Those that don't run too.
        once: Print one round and end.
        sort: `name`, `cpu` or `memory`.
        format: `table`, `json`, a Go template, or `table` and one; empty is our own table.
    """

    names: tuple[str, ...] = ()
    all: bool = False
    once: bool = False
    sort: str = "name"
    format: str = ""


@click.command(
    "stats",
    cls=Verb,
    examples=(
        ("pyd stats", "all that run, once a second, in place"),
        ("pyd stats --sort memory", "the biggest first"),
        ("pyd stats --no-stream web db", "once"),
        ("pyd stats --no-stream --format '{{.Name}} {{.CPUPerc}}'", "as a template has it"),
        ("pyd stats --json", "a JSON document a line, each second one for every container"),
    ),
)
@click.argument("names", nargs=-1, type=ContainerName("running", "paused"), metavar="[CONTAINER]...")
@click.option("-a", "--all", is_flag=True, help="Those that don't run too.")
@click.option("--no-stream", "once", is_flag=True, help="Print once and end.")
@click.option("--sort", type=click.Choice(("name", "cpu", "memory")), default="name", help="What comes first.")
@format_option
@pass_state
def command(state: State, /, **given: object) -> None:
    """Show processor, memory, network and disk use: percent of one processor, and bytes a second."""
    from pyd_tui.cli.stats_stream import show  # noqa: PLC0415 - brings asyncio, which help and completion don't need

    options = StatsOptions(**given)  # type: ignore[arg-type]
    state.run(lambda engine: show(engine, options, json=state.json))
