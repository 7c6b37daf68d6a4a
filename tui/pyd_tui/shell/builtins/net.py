"""`net`: the target's interfaces, routes and name servers."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.network import Interface, RouteEntry, read_network
from pyd_core.humanize import size
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write, write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

INTERFACES = (
    TableColumn(title="INTERFACE"),
    TableColumn(title="STATE"),
    TableColumn(title="ADDRESSES", cut=40),
    TableColumn(title="MAC", rank=3),
    TableColumn(title="MTU", right=True, rank=4),
    TableColumn(title="RECEIVED", right=True, rank=1),
    TableColumn(title="SENT", right=True, rank=1),
    TableColumn(title="DROPPED", right=True, rank=2),
    TableColumn(title="ERRORS", right=True, rank=2),
)
ROUTES = (
    TableColumn(title="DESTINATION"),
    TableColumn(title="VIA"),
    TableColumn(title="INTERFACE"),
    TableColumn(title="SOURCE", rank=1),
    TableColumn(title="METRIC", right=True, rank=2),
)
RESOLVER = (TableColumn(title="NAME SERVERS"), TableColumn(title="SEARCH"), TableColumn(title="OPTIONS"))


@click.command(
    "net", cls=BuiltinCommand, examples=(("net", "all of it"), ("net --json | jq .routes", "one part, for programs"))
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """Show the target's network: interfaces with addresses and traffic, routes, and name servers."""
    found = read_network(shell.access)
    if shell.json:
        write_json(found)
        return
    write_table(INTERFACES, [_interface(one) for one in found.interfaces])
    write("\n")
    if found.routes:
        write_table(ROUTES, [_route(one) for one in found.routes])
    else:
        write("no routes: it reaches nothing beyond itself\n")
    resolver = found.resolver
    write("\n")
    cells = (" ".join(part) for part in (resolver.servers, resolver.search, resolver.options))
    write_table(RESOLVER, [[Cell(text) for text in cells]])


def _interface(one: Interface) -> list[Cell]:
    return [
        Cell(one.name),
        Cell(one.state.lower(), "red" if one.state == "DOWN" else ""),
        Cell(" ".join(one.addresses)),
        Cell(one.mac),
        Cell(str(one.mtu)),
        Cell(size(one.received)),
        Cell(size(one.sent)),
        Cell(str(one.dropped or "")),
        Cell(str(one.errors or ""), "red"),
    ]


def _route(one: RouteEntry) -> list[Cell]:
    return [Cell(text) for text in (one.destination, one.via, one.interface, one.source, str(one.metric or ""))]
