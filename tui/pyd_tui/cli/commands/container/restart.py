"""`pyd restart`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each_container
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "restart",
    cls=PydCommand,
    examples=(("pyd restart web", "restart a container"), ("pyd restart -t 0 web", "kill it without a grace period")),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName(), metavar="CONTAINER...")
@click.option("-s", "--signal", metavar="SIGNAL", help="Signal instead of the container's stop signal.")
@click.option(
    "-t", "--timeout", "--time", type=int, metavar="SECONDS", help="Seconds to wait before SIGKILL; -1 waits forever."
)
@pass_state
def command(state: State, /, *, names: tuple[str, ...], signal: str | None, timeout: int | None) -> int:
    """Restart one or more containers."""
    from pyd_core.client.provider import restarting_of

    return run_on_each_container(
        state, names, lambda engine, name: restarting_of(engine).restart(name, signal=signal, grace=timeout)
    )
