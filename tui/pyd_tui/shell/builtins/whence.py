"""`whence`: all commands of a name, and which one runs."""

from __future__ import annotations

import stat

import click
import msgspec

from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import NotFound, PydError
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtin_table import BUILTINS
from pyd_tui.shell.builtins.named import ProgramName
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="COMMAND"),
    TableColumn(title="FROM"),
    TableColumn(title="WHERE", cut=20, wrap=True),
    TableColumn(title="CALLED AS"),
)


class Resolution(msgspec.Struct, frozen=True):
    """A command that a name may refer to.

    Attributes:
        name: The name.
        kind: `builtin`, `function`, `container` or `toolbox`.
        where: Its path, if it is a file.
        call: The word that runs it; empty if another command shadows it.
    """

    name: str
    kind: str
    where: str = ""
    call: str = ""


@click.command(
    "whence",
    cls=BuiltinCommand,
    examples=(("whence ps", "the builtin, the tool, and the container's"), ("whence curl --json", "for programs")),
)
@click.argument("program", type=ProgramName(), metavar="COMMAND")
@pass_shell
def command(shell: ShellContext, /, *, program: str) -> None:
    """Show where a command comes from: a builtin, a function, a tool or the container. The first one runs."""
    resolutions = find(shell, program)
    if not resolutions:
        raise NotFound(f"no command {program!r} in {shell.name} or the toolbox", reference="command-not-found")
    if shell.json:
        write_json(resolutions)
        return
    write_table(
        COLUMNS, [(Cell(entry.name), Cell(entry.kind), Cell(entry.where), Cell(entry.call)) for entry in resolutions]
    )


def find(shell: ShellContext, name: str) -> list[Resolution]:
    """Return all commands of a name; the first one runs."""
    interactive_shell = shell.interactive()
    resolutions: list[Resolution] = []
    if name in BUILTINS:
        resolutions.append(Resolution(name, "builtin", call=name))
    elif name in interactive_shell.functions:
        resolutions.append(Resolution(name, "function", call=name))
    if "/" in name:
        return resolutions
    for directory in dict.fromkeys(interactive_shell.path.split(":")):
        kind = "toolbox" if directory.startswith(f"{PREFIX}/") else "container"
        if kind == "toolbox":
            is_there = name in interactive_shell.tools_in(directory.removeprefix(f"{PREFIX}/"))
        else:
            is_there = directory.startswith("/") and _runs(shell, f"{directory}/{name}")
        # Only the first program of each kind can be called by its name.
        if is_there and kind not in {entry.kind for entry in resolutions}:
            forced = f"@{name}" if kind == "toolbox" else f"@target {name}"
            resolutions.append(Resolution(name, kind, f"{directory}/{name}", forced if resolutions else name))
        elif is_there and kind == "container":
            resolutions.append(Resolution(name, kind, f"{directory}/{name}", f"{directory}/{name}"))
    return resolutions


def _runs(shell: ShellContext, path: str) -> bool:
    try:
        entry = shell.access.stat(path)
    except PydError:
        return False
    return stat.S_ISREG(entry.mode) and bool(entry.mode & 0o111)
