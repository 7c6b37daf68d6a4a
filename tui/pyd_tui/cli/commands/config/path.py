"""`pyd config path`."""

from __future__ import annotations

import click

from pyd_tui.config.paths import config_file
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("path", cls=PydCommand, examples=(("pyd config path", "show where pyd looks for the file"),))
@pass_state
def command(state: State, /) -> None:
    """Show the path of the settings file."""
    path = config_file()
    if state.json:
        write_json({"path": str(path), "exists": path.is_file()})
    else:
        write(f"{path}\n")
