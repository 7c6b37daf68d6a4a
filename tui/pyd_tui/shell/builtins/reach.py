"""`reach`: whether the target can reach a host, and which layer stops it."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.reach import TLS_PORTS, parse_place, reach
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="LAYER"),
    TableColumn(title=""),
    TableColumn(title="WHAT", cut=60),
    TableColumn(title="MS", right=True, rank=1),
)


@click.command(
    "reach",
    cls=BuiltinCommand,
    examples=(
        ("reach db:5432", "name, route, port: the first that fails is named"),
        ("reach https://example.org", "TLS too: is its certificate trusted in there?"),
        ("reach db:5432 --json | jq -r .failed", "dns, route, refused, timeout, reset, tls or nothing"),
    ),
)
@click.argument("place", metavar="HOST:PORT")
@click.option("--tls/--no-tls", default=None, help="Whether to try TLS; else by the port or the URL.")
@pass_shell
def command(shell: ShellContext, /, *, place: str, tls: bool | None) -> int:
    """Try to reach a host from inside the target's network, layer by layer."""
    host, port, said = parse_place(place)
    wanted = tls if tls is not None else said if said is not None else port in TLS_PORTS
    found = reach(shell.access, host, port, tls=wanted)
    if shell.json:
        write_json(found)
    else:
        mark = {True: Cell("ok", "green"), False: Cell("FAILS", "bold red")}
        rows = [[Cell(one.layer), mark[one.ok], Cell(one.text), Cell(f"{one.milliseconds:.0f}")] for one in found.steps]
        write_table(COLUMNS, rows)
        if not found.ok:
            click.echo(f"pyd: {safe(host)}:{port} can't be reached from {shell.name} [{found.failed}]", err=True)
            click.echo(f"hint: {safe(found.advice)}", err=True)
    return 0 if found.ok else 1
