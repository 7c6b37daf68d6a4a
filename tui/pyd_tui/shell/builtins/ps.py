"""`ps`: the target's processes as a tree."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.processes import ProcessFacts, list_processes
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="PID", right=True),
    TableColumn(title="HOST PID", right=True, rank=2),
    TableColumn(title="USER", right=True, rank=3),
    TableColumn(title="MEMORY", right=True, rank=1),
    TableColumn(title="CPU s", right=True, rank=1),
    TableColumn(title="FDS", right=True, rank=2),
    TableColumn(title="THREADS", right=True, rank=4),
    TableColumn(title="STATE", rank=3),
    TableColumn(title="COMMAND", cut=20, wrap=True),
)


@click.command(
    "ps",
    cls=BuiltinCommand,
    examples=(("ps", "all processes, children below their parents"), ("ps --json", "for programs")),
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """List the target's processes as a tree, with their pids in the container and on the host."""
    rows = list_processes(shell.access)
    if shell.json:
        write_json(rows)
        return
    write_table(COLUMNS, [_row(facts) for facts in rows])


def _row(facts: ProcessFacts) -> list[Cell]:
    return [
        Cell(str(facts.pid)),
        Cell(str(facts.host_pid), "dim"),
        Cell(str(facts.uid)),
        Cell(size(facts.memory)),
        Cell(f"{facts.cpu_seconds:.1f}"),
        Cell("" if facts.descriptors is None else str(facts.descriptors)),
        Cell(str(facts.threads)),
        Cell(facts.state, "red" if facts.state in ("zombie", "stopped") else ""),
        Cell(f"{'  ' * min(facts.depth, 20)}{facts.command}"),
    ]
