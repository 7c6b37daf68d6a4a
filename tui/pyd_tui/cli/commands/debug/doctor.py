"""`pyd debug doctor`."""

from __future__ import annotations

import click

from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

COLUMNS = (TableColumn(title="CHECK"), TableColumn(title="STATE"), TableColumn(title="FOUND", cut=20))
_COLOURS = {"ok": "green", "warning": "yellow", "blocker": "bold red", "unknown": "dim"}


@click.command(
    "doctor",
    cls=PydCommand,
    examples=(
        ("pyd debug doctor", "check this machine and its engine"),
        ("pyd debug doctor web", "also check whether web can be entered"),
        ("pyd debug container:doctor", "open a shell in a container named doctor"),
    ),
)
@click.argument("name", required=False, default="", metavar="[CONTAINER]")
@pass_state
def command(state: State, /, *, name: str) -> int:
    """Check the requirements of debug sessions, and report the first blocker with its remedy.

    The exit code is 1 if there is a blocker.
    """
    from pyd_core.debug.doctor.examine import examine, first_blocker
    from pyd_core.errors import NoEngine

    try:
        endpoint = state.endpoint()
    except NoEngine as error:
        checks = list(examine(error, name))
    else:
        checks = list(examine(endpoint, name))
    blocker = first_blocker(checks)
    if state.json:
        write_json({"blocker": blocker.name if blocker else None, "checks": checks})
        return 1 if blocker else 0
    write_table(
        COLUMNS, [(Cell(check.name), Cell(check.state, _COLOURS[check.state]), Cell(check.finding)) for check in checks]
    )
    for check in checks:
        if check.remedy and check is not blocker:
            write(f"{check.name}: {check.remedy}\n")
    if blocker is not None:
        write(f"first blocker: {blocker.name}: {blocker.finding}\n")
        if blocker.remedy:
            write(f"remedy: {blocker.remedy}\n")
    return 1 if blocker else 0
