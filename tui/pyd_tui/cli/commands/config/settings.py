"""`pyd config show`, `edit`, `check`, `path`: the settings, where they are, and what is wrong with them."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import click

from pyd_core.errors import ConfigError, NotFound
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.config.paths import config_file
from pyd_tui.console.command import Verb
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_tui.dashboard.input.key_bindings import Problem


@click.command("path", cls=Verb, examples=(("pyd config path", "where the file is looked for"),))
@pass_state
def path(state: State, /) -> None:
    """Print where the configuration file lies."""
    where = config_file()
    if state.json:
        write_json({"path": str(where), "exists": where.is_file()})
    else:
        write(f"{where}\n")


@click.command("show", cls=Verb, examples=(("pyd config show --json", "for a script"),))
@pass_state
def show(state: State, /) -> None:
    """Print all settings as they hold, the defaults among them."""
    from pyd_tui.config.reader import read_settings  # noqa: PLC0415 - click loads this module for help too
    from pyd_tui.config.writer import as_toml  # noqa: PLC0415 - likewise

    settings = read_settings(config_file())
    if state.json:
        write_json(settings)
    else:
        write(as_toml(settings))


@click.command("check", cls=Verb, examples=(("pyd config check --json", "for an editor"),))
@pass_state
def check(state: State, /) -> int:
    """Say what is wrong with the configuration file; exit code 1 when something is."""
    where = config_file()
    problems = _problems()
    if state.json:
        write_json([{"file": str(where), "line": line, "message": said, "hint": hint} for line, said, hint in problems])
    elif not problems:
        write(f"{where}: {'good' if where.is_file() else 'not there, the defaults hold'}\n")
    else:
        for line, said, hint in problems:
            write(f"{where}:{line}: {said}{f' ({hint})' if hint else ''}\n")
    return 1 if problems else 0


@click.command("edit", cls=Verb, examples=(("EDITOR=nano pyd config edit", "in another editor"),))
@pass_state
def edit(state: State, /) -> int:
    """Open the configuration file in your editor, with every setting explained when it is new, and check it then."""
    from pyd_tui.config.writer import TEMPLATE  # noqa: PLC0415 - click loads this module for help too

    where = config_file()
    if not where.exists():
        where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        where.write_text(TEMPLATE)
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        code = subprocess.run([*editor, str(where)], check=False).returncode
    except FileNotFoundError as error:
        raise NotFound(f"there is no editor {editor[0]}", hint="set EDITOR, or open the file yourself") from error
    if code != 0:
        return 1
    problems = _problems()
    for line, said, hint in problems:
        click.echo(f"{where}:{line}: {said}{f' ({hint})' if hint else ''}", err=True)
    if state.json:
        write_json({"path": str(where), "problems": len(problems)})
    return 1 if problems else 0


def _problems() -> list[tuple[int, str, str]]:
    """Returns line, message and hint of everything wrong in the file."""
    from pyd_tui.config.reader import line_of, read_settings  # noqa: PLC0415 - click loads this module for help too
    from pyd_tui.dashboard.startup.settings_check import problems  # noqa: PLC0415 - likewise

    where = config_file()
    try:
        settings = read_settings(where)
    except ConfigError as error:
        line, _, said = error.message.removeprefix(f"{where}:").partition(": ")
        return [(int(line), said, error.hint)] if line.isdigit() else [(1, error.message, error.hint)]
    found: list[Problem] = problems(settings)
    text = where.read_text() if found else ""
    return [(line_of(text, problem.steps), problem.message, problem.hint) for problem in found]
