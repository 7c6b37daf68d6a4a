"""`diff`: the target's changes against its image."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.files import absolute
from pyd_core.model.container import FileChange
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.asking import ask_engine
from pyd_tui.shell.builtins.paths import TargetPath
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (TableColumn(title="CHANGE"), TableColumn(title="PATH"))
_KINDS = {0: ("changed", "yellow"), 1: ("added", "green"), 2: ("deleted", "red")}


@click.command(
    "diff",
    cls=BuiltinCommand,
    examples=(
        ("diff", "all changes"),
        ("diff /etc", "at and below a directory"),
        ("diff --json | jq -r '.[].path'", "paths"),
    ),
)
@click.argument("below", type=TargetPath(), required=False, default="/", metavar="[DIRECTORY]")
@pass_shell
def command(shell: ShellContext, /, *, below: str) -> None:
    """List the paths that the target has changed, added or deleted since its creation."""
    directory = absolute(below, shell.cwd).rstrip("/")
    changes = [
        change
        for change in ask_engine(shell, lambda engine, name: engine.containers.changes(name))
        if change.path == directory or change.path.startswith(f"{directory}/")
    ]
    if shell.json:
        write_json([{"path": change.path, "kind": _kind(change)[0]} for change in changes])
        return
    if not changes:
        message = f"nothing at {safe(directory)} has changed" if directory else f"{shell.name} is unchanged"
        click.echo(f"pyd: {message}", err=True)
        return
    write_table(COLUMNS, [[Cell(*_kind(change)), Cell(change.path)] for change in changes])


def _kind(change: FileChange) -> tuple[str, str]:
    return _KINDS.get(change.kind, ("changed", ""))
