"""`diff`: what the target has changed since it was made from its image."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.files import absolute
from pyd_core.model.container import FileChange
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.asking import ask
from pyd_tui.shell.builtins.paths import TargetPath
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (TableColumn(title="CHANGE"), TableColumn(title="PATH"))
_KINDS = {0: ("changed", "yellow"), 1: ("added", "green"), 2: ("deleted", "red")}


@click.command(
    "diff",
    cls=BuiltinCommand,
    examples=(
        ("diff", "all of it"),
        ("diff /etc", "at and below a folder"),
        ("diff --json | jq -r '.[].path'", "paths"),
    ),
)
@click.argument("below", type=TargetPath(), required=False, default="/", metavar="[FOLDER]")
@pass_shell
def command(shell: ShellContext, /, *, below: str) -> None:
    """List the paths that the target has changed, added or deleted since it was made from its image."""
    folder = absolute(below, shell.cwd).rstrip("/")
    found = [
        change
        for change in ask(shell, lambda engine, name: engine.containers.changes(name))
        if change.path == folder or change.path.startswith(f"{folder}/")
    ]
    if shell.json:
        write_json([{"path": change.path, "kind": _kind(change)[0]} for change in found])
        return
    if not found:
        there = f"nothing at {safe(folder)} has changed" if folder else f"{shell.name} is as its image made it"
        click.echo(f"pyd: {there}", err=True)
        return
    write_table(COLUMNS, [[Cell(*_kind(change)), Cell(change.path)] for change in found])


def _kind(change: FileChange) -> tuple[str, str]:
    return _KINDS.get(change.kind, ("changed", ""))
