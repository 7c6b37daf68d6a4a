"""`pyd toolbox rm`."""

from __future__ import annotations

import click

from pyd_tui.cli.debug.toolbox import write_result
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("rm", cls=PydCommand, examples=(("pyd toolbox rm base,net", "remove it by its name in pyd toolbox ls"),))
@click.argument("name", metavar="TOOLBOX")
@pass_state
def command(state: State, /, *, name: str) -> None:
    """Remove a toolbox from disk; it is built again when needed."""
    from pyd_core.debug.toolbox import manage

    manage.remove(name)
    write_result(state, "removed", name)
