"""`pyd kill`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "kill",
    cls=PydCommand,
    examples=(("pyd kill job", "send SIGKILL"), ("pyd kill -s HUP web", "make web reload its configuration")),
)
@click.argument(
    "names", nargs=-1, required=True, type=ContainerName("running", "paused", "restarting"), metavar="CONTAINER..."
)
@click.option("-s", "--signal", metavar="SIGNAL", help="Signal name or number; KILL by default.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], signal: str | None) -> int:
    """Send a signal to the main process of one or more containers."""
    return run_on_each(state, names, lambda engine, name: engine.containers.kill(name, signal=signal))
