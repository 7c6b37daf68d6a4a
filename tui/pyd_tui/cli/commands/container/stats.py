"""`pyd stats`: what containers use."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import format_option


@click.command(
    "stats",
    cls=PydCommand,
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
    from pyd_tui.cli.containers.stats_stream import StatsOptions, show_stats

    options = StatsOptions(**given)  # type: ignore[arg-type]
    state.run(lambda engine: show_stats(engine, options, json=state.json))
