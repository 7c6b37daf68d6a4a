"""`pyd config edit`."""

from __future__ import annotations

import os
import shlex
import subprocess

import click

from pyd_core.errors import NotFound
from pyd_tui.cli.dashboard_entry import settings_problems
from pyd_tui.config.paths import config_file
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json


@click.command("edit", cls=PydCommand, examples=(("EDITOR=nano pyd config edit", "choose the editor"),))
@pass_state
def command(state: State, /) -> int:
    """Edit the settings file in your editor, then check it; a new file explains every setting."""
    from pyd_tui.config.writer import TEMPLATE

    path = config_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(TEMPLATE)
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        code = subprocess.run([*editor, str(path)], check=False).returncode
    except FileNotFoundError as error:
        raise NotFound(f"no such editor: {editor[0]}", hint="set EDITOR, or open the file yourself") from error
    if code != 0:
        return 1
    problems = settings_problems(path)
    for line, message, hint in problems:
        click.echo(f"{path}:{line}: {message}{f' ({hint})' if hint else ''}", err=True)
    if state.json:
        write_json({"path": str(path), "problems": len(problems)})
    return 1 if problems else 0
