"""`pyd stop`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import run_on_each_container
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "stop",
    cls=PydCommand,
    examples=(
        ("pyd stop web", "send its stop signal, then SIGKILL after its timeout"),
        ("pyd stop -t 60 db", "wait a minute before SIGKILL"),
        ("pyd stop -s INT -t -1 job", "send another signal, and wait forever"),
    ),
)
@click.argument("names", nargs=-1, required=True, type=ContainerName("running", "restarting"), metavar="CONTAINER...")
@click.option("-s", "--signal", metavar="SIGNAL", help="Signal instead of the container's stop signal.")
@click.option(
    "-t", "--timeout", "--time", type=int, metavar="SECONDS", help="Seconds to wait before SIGKILL; -1 waits forever."
)
@pass_state
def command(state: State, /, *, names: tuple[str, ...], signal: str | None, timeout: int | None) -> int:
    """Stop one or more containers: send the stop signal, then SIGKILL after a timeout."""
    from pyd_core.client.provider import stopping_of

    return run_on_each_container(
        state, names, lambda engine, name: stopping_of(engine).stop(name, signal=signal, grace=timeout)
    )
