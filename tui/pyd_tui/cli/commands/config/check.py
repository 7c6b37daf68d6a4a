"""`pyd config check`."""

from __future__ import annotations

import click

from pyd_tui.cli.dashboard_entry import settings_problems
from pyd_tui.config.paths import config_file
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command("check", cls=PydCommand, examples=(("pyd config check --json", "report errors to an editor"),))
@pass_state
def command(state: State, /) -> int:
    """Check the settings file; the exit code is 1 if it has errors."""
    path = config_file()
    problems = settings_problems(path)
    if state.json:
        write_json(
            [{"file": str(path), "line": line, "message": message, "hint": hint} for line, message, hint in problems]
        )
    elif not problems:
        write(f"{path}: {'no errors' if path.is_file() else 'no such file; defaults apply'}\n")
    else:
        for line, message, hint in problems:
            write(f"{path}:{line}: {message}{f' ({hint})' if hint else ''}\n")
    return 1 if problems else 0
