"""`reach`: test whether the target can reach a host, and which layer fails."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.reach import TLS_PORTS, join_place, parse_place, reach
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="LAYER"),
    TableColumn(title=""),
    TableColumn(title="RESULT", cut=60, wrap=True),
    TableColumn(title="MS", right=True, rank=1),
)


@click.command(
    "reach",
    cls=BuiltinCommand,
    examples=(
        ("reach db:5432", "name, route, port: shows the first that fails"),
        ("reach db 5432", "the same, as nc takes it"),
        ("reach https://example.org", "TLS too: does the target trust its certificate?"),
        ("reach db:5432 --json | jq -r .failed", "dns, route, refused, timeout, reset, tls or nothing"),
    ),
)
@click.argument("endpoint", metavar="HOST:PORT")
@click.argument("port_number", metavar="[PORT]", required=False)
@click.option("--tls/--no-tls", default=None, help="Whether to try TLS; by default, the port or URL decides.")
@pass_shell
def command(shell: ShellContext, /, *, endpoint: str, port_number: str | None, tls: bool | None) -> int:
    """Try to reach a host from inside the target's network, layer by layer."""
    host, port, url_tls = parse_place(endpoint if port_number is None else join_place(endpoint, port_number))
    with_tls = tls if tls is not None else url_tls if url_tls is not None else port in TLS_PORTS
    result = reach(shell.access, host, port, tls=with_tls)
    if shell.json:
        write_json(result)
    else:
        mark = {True: Cell("ok", "green"), False: Cell("FAILS", "bold red")}
        rows = [
            [Cell(step.layer), mark[step.ok], Cell(step.text), Cell(f"{step.milliseconds:.0f}")]
            for step in result.steps
        ]
        write_table(COLUMNS, rows)
        if not result.ok:
            click.echo(f"pyd: {safe(host)}:{port} can't be reached from {shell.name} [{result.failed}]", err=True)
            click.echo(f"hint: {safe(result.advice)}", err=True)
    return 0 if result.ok else 1
