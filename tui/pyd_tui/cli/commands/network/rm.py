"""`pyd network rm`."""

from __future__ import annotations

import click

from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.cli.objects.names import NetworkName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("rm", cls=PydCommand, examples=(("pyd network rm app", "remove a network without containers"),))
@click.argument("names", nargs=-1, required=True, type=NetworkName(), metavar="NETWORK...")
@click.option("-f", "--force", is_flag=True, help="Don't report an error if the network doesn't exist.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], force: bool) -> int:
    """Remove one or more networks."""
    return run_on_each(state, names, lambda engine, name: engine.networks.remove(name, force=force), resolve=keep_name)
