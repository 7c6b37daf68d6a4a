"""`whence`: which of all the commands of a name one gets."""

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
    TableColumn(title="WHERE", cut=20),
    TableColumn(title="CALLED AS"),
)


class Resolution(msgspec.Struct, frozen=True):
    """Something that a name means.

    Attributes:
        name: The name.
        kind: `builtin`, `function`, `container` or `toolbox`.
        where: Its path, if it is a file.
        call: How it is called; empty where another of that name comes first and it has no other.
    """

    name: str
    kind: str
    where: str = ""
    call: str = ""


@click.command(
    "whence",
    cls=BuiltinCommand,
    examples=(("whence ps", "the builtin, the container's, and the tool"), ("whence curl --json", "for programs")),
)
@click.argument("program", type=ProgramName(), metavar="COMMAND")
@pass_shell
def command(shell: ShellContext, /, *, program: str) -> None:
    """Say what a command is: a builtin, a function, the container's program or a tool. The first is what runs."""
    found = find(shell, program)
    if not found:
        raise NotFound(f"no command {program!r} in {shell.name} or the toolbox", reference="command-not-found")
    if shell.json:
        write_json(found)
        return
    write_table(COLUMNS, [(Cell(each.name), Cell(each.kind), Cell(each.where), Cell(each.call)) for each in found])


def find(shell: ShellContext, name: str) -> list[Resolution]:
    """Return all that a name means, what runs first."""
    interactive_shell = shell.interactive()
    found: list[Resolution] = []
    if name in BUILTINS:
        found.append(Resolution(name, "builtin", call=name))
    if name in interactive_shell.functions:
        found.append(Resolution(name, "function", call="" if found else name))
    for folder in dict.fromkeys(interactive_shell.path.split(":")):
        if not folder.startswith("/") or folder.startswith(f"{PREFIX}/") or "/" in name:
            continue
        place = f"{folder}/{name}"
        if _runs(shell, place):
            found.append(Resolution(name, "container", place, place if found else name))
    if name in interactive_shell.tools:
        found.append(Resolution(name, "toolbox", f"{PREFIX}/bin/{name}", f"@{name}" if found else name))
    return found


def _runs(shell: ShellContext, path: str) -> bool:
    try:
        entry = shell.access.stat(path)
    except PydError:
        return False
    return stat.S_ISREG(entry.mode) and bool(entry.mode & 0o111)
