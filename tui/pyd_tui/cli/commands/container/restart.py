"""`pyd restart`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "restart",
    cls=PydCommand,
    examples=(("pyd restart web", "stop and start"), ("pyd restart -t 0 web", "without grace")),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName(), metavar="CONTAINER...")
@click.option("-s", "--signal", metavar="SIGNAL", help="Instead of the container's own stop signal.")
@click.option("-t", "--timeout", "--time", type=int, metavar="SECONDS", help="Grace before SIGKILL; -1 waits for ever.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], signal: str | None, timeout: int | None) -> int:
    """Stop and start containers."""
    return run_on_each(state, names, lambda engine, name: engine.containers.restart(name, signal=signal, grace=timeout))
