"""`caps`: a process's user, capabilities and confinement."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.capabilities import Rights, read_rights
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.builtins.process import pid_argument, process_of
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (TableColumn(title="PROPERTY"), TableColumn(title="VALUE", cut=60, wrap=True))


@click.command(
    "caps",
    cls=BuiltinCommand,
    examples=(("caps", "of the main process"), ("caps 8 --json | jq .effective", "one set of another")),
)
@pid_argument
@pass_shell
def command(shell: ShellContext, /, *, pid: int | None) -> None:
    """Show a process's user, its capabilities by name, and its confinement."""
    # For a stopped target, a process with the rights that its main process would have stands in.
    rights = read_rights(shell.access, shell.access.main_pid if pid is None else process_of(shell, pid))
    if shell.json:
        write_json(rights)
        return
    write_table(COLUMNS, [[Cell(name, "bold"), Cell(value)] for name, value in _lines(rights)])


def _lines(rights: Rights) -> list[tuple[str, str]]:
    yes = {True: "yes", False: "no"}
    return [
        ("user", f"{rights.uid}:{rights.gid}" + (" (in a user namespace)" if rights.user_namespace else "")),
        ("groups", " ".join(map(str, rights.groups)) or "none"),
        ("effective", " ".join(rights.effective) or "none"),
        ("permitted", " ".join(rights.permitted) or "none"),
        ("bounding", " ".join(rights.bounding) or "none"),
        ("inheritable", " ".join(rights.inheritable) or "none"),
        ("ambient", " ".join(rights.ambient) or "none"),
        ("no new privileges", yes[rights.no_new_privileges]),
        ("seccomp", rights.seccomp),
        ("label", rights.label or "none"),
    ]
