"""`pyd stop`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "stop",
    cls=PydCommand,
    examples=(
        ("pyd stop web", "its stop signal, then SIGKILL after its grace time"),
        ("pyd stop -t 60 db", "a minute of grace"),
        ("pyd stop -s INT -t -1 job", "another signal, and wait for ever"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName("running", "restarting"), metavar="CONTAINER...")
@click.option("-s", "--signal", metavar="SIGNAL", help="Instead of the container's own stop signal.")
@click.option("-t", "--timeout", "--time", type=int, metavar="SECONDS", help="Grace before SIGKILL; -1 waits for ever.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], signal: str | None, timeout: int | None) -> int:
    """Stop containers: ask politely, and kill after a while."""
    return run_on_each(state, names, lambda engine, name: engine.containers.stop(name, signal=signal, grace=timeout))
