"""`pyd toolbox ls`."""

from __future__ import annotations

import click

from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

PACK_COLUMNS = (TableColumn(title="", right=True), TableColumn(title="PACK"), TableColumn(title="WHAT", cut=20))
TOOLBOX_COLUMNS = (
    TableColumn(title="", right=True),
    TableColumn(title="TOOLBOX"),
    TableColumn(title="FOR"),
    TableColumn(title="SIZE", right=True),
)


@click.command("ls", cls=PydCommand, examples=(("pyd toolbox ls", "list packs, and toolboxes on disk"),))
@pass_state
def command(state: State, /) -> None:
    """List packs, installed ones marked, and the toolboxes on disk."""
    from pyd_core.debug.toolbox.manage import list_stored
    from pyd_core.debug.toolbox.selection import load_selection
    from pyd_debugimages.packs import BASE, PACKS

    selection, toolboxes = load_selection(), list_stored()
    installed = (BASE.name, *selection.packs)
    if state.json:
        packs = [
            {"name": pack.name, "summary": pack.summary, "installed": pack.name in installed} for pack in PACKS.values()
        ]
        write_json({"packs": packs, "packages": selection.packages, "toolboxes": toolboxes})
        return
    rows = [
        (Cell("*" if pack.name in installed else ""), Cell(pack.name, "bold"), Cell(pack.summary))
        for pack in PACKS.values()
    ]
    packages = [(Cell("*"), Cell(name, "bold"), Cell("a Debian package")) for name in selection.packages]
    write_table(PACK_COLUMNS, [*rows, *packages], hide_empty=False)
    write("\n")
    write_table(
        TOOLBOX_COLUMNS,
        [
            (Cell("*" if box.current else ""), Cell(box.name), Cell(box.machine), Cell(size(box.size)))
            for box in toolboxes
        ],
        hide_empty=False,
    )
