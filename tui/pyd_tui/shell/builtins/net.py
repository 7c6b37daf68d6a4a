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
    TableColumn(title="ADDRESSES", cut=40, wrap=True),
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
    "net", cls=BuiltinCommand, examples=(("net", "everything"), ("net --json | jq .routes", "one part, for programs"))
)
@pass_shell
def command(shell: ShellContext, /) -> None:
    """Show the target's network: interfaces with addresses and traffic, routes, and name servers."""
    network = read_network(shell.access)
    if shell.json:
        write_json(network)
        return
    write_table(INTERFACES, [_interface(entry) for entry in network.interfaces])
    write("\n")
    if network.routes:
        write_table(ROUTES, [_route(entry) for entry in network.routes])
    else:
        write("no routes: it can't reach other hosts\n")
    resolver = network.resolver
    write("\n")
    cells = (" ".join(part) for part in (resolver.servers, resolver.search, resolver.options))
    write_table(RESOLVER, [[Cell(text) for text in cells]])


def _interface(interface: Interface) -> list[Cell]:
    return [
        Cell(interface.name),
        Cell(interface.state.lower(), "red" if interface.state == "DOWN" else ""),
        Cell(" ".join(interface.addresses)),
        Cell(interface.mac),
        Cell(str(interface.mtu)),
        Cell(size(interface.received)),
        Cell(size(interface.sent)),
        Cell(str(interface.dropped or "")),
        Cell(str(interface.errors or ""), "red"),
    ]


def _route(route: RouteEntry) -> list[Cell]:
    return [
        Cell(text) for text in (route.destination, route.via, route.interface, route.source, str(route.metric or ""))
    ]
