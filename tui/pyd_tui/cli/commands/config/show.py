"""`pyd config show`."""

from __future__ import annotations

import click

from pyd_tui.config.paths import config_file
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("show", cls=PydCommand, examples=(("pyd config show --json", "show them for a script"),))
@pass_state
def command(state: State, /) -> None:
    """Show all settings, defaults included."""
    from pyd_tui.config.reader import read_settings
    from pyd_tui.config.writer import as_toml

    settings = read_settings(config_file())
    if state.json:
        write_json(settings)
    else:
        write(as_toml(settings))
