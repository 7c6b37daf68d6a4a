"""`pyd stats`."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import format_option


@click.command(
    "stats",
    cls=PydCommand,
    examples=(
        ("pyd stats", "show all running containers, once a second"),
        ("pyd stats --sort memory", "sort by memory"),
        ("pyd stats --no-stream web db", "print once"),
        ("pyd stats --no-stream --format '{{.Name}} {{.CPUPerc}}'", "format rows with a template"),
        ("pyd stats --json", "write one JSON document per container and second"),
    ),
)
@click.argument("names", nargs=-1, type=ContainerName("running", "paused"), metavar="[CONTAINER]...")
@click.option("-a", "--all", is_flag=True, help="Show stopped containers too.")
@click.option("--no-stream", "once", is_flag=True, help="Print once and exit.")
@click.option("--sort", type=click.Choice(("name", "cpu", "memory")), default="name", help="Sort order.")
@format_option
@pass_state
def command(state: State, /, **values: Any) -> None:
    """Show a live stream of the resource usage of containers: percent of one CPU, and bytes per second."""
    from pyd_tui.cli.containers.stats_stream import StatsOptions, show_stats

    options = StatsOptions(**values)
    state.run_provider(lambda engine: show_stats(engine, options, json=state.json))
