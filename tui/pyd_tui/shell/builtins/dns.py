"""`dns`: look up a name as the target would."""

from __future__ import annotations

import ipaddress

import click

from pyd_core.debug.inspectors.dns import SILENT, TYPES, DnsRecord, Reply, ask, is_address, look_up, read_hosts
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="SOURCE"),
    TableColumn(title="QUESTION"),
    TableColumn(title="RESULT"),
    TableColumn(title="ANSWER", cut=40, wrap=True),
    TableColumn(title="TTL", right=True, rank=1),
    TableColumn(title="MS", right=True, rank=2),
)


@click.command(
    "dns",
    cls=BuiltinCommand,
    examples=(
        ("dns db", "what programs in the target get for that name, and the source"),
        ("dns -t MX example.org", "another kind of record"),
        ("dns 172.18.0.3", "the name of an address"),
        ("dns -s 1.1.1.1 example.org", "another server, queried from inside the target"),
    ),
)
@click.argument("name")
@click.option("-t", "--type", "kind", type=click.Choice(sorted(TYPES), case_sensitive=False), help="Only this kind.")
@click.option("-s", "--server", metavar="ADDRESS", help="Query this server instead of the target's.")
@pass_shell
def command(shell: ShellContext, /, *, name: str, kind: str | None, server: str | None) -> int:
    """Look up a name in the target's hosts file and name servers, and show each reply."""
    replies = find(shell, name, kind, server)
    if shell.json:
        write_json(replies)
    else:
        write_table(COLUMNS, [row for reply in replies for row in _rows(reply)])
        if replies and all(reply.result.startswith(SILENT) for reply in replies):
            click.echo("pyd: no name server answers; check the routes with: net", err=True)
        elif not any(reply.records for reply in replies):
            click.echo(f"pyd: {safe(name)} has no such record there", err=True)
    return 0 if any(reply.records for reply in replies) else 1


def find(shell: ShellContext, name: str, kind: str | None, server: str | None) -> list[Reply]:
    """Return the reply of each source."""
    if is_address(name) and kind in (None, "ptr"):
        name, kind = ipaddress.ip_address(name.partition("%")[0]).reverse_pointer, "ptr"
    kinds = (kind.upper(),) if kind else ("A", "AAAA")
    if server is not None:
        if not is_address(server):
            raise click.UsageError("--server takes an IP address")
        return [ask(shell.access, server, name, record_type) for record_type in kinds]
    own = [] if kind else read_hosts(shell.access, name)
    if own:
        records = tuple(
            DnsRecord(name=name, type="AAAA" if ":" in address else "A", value=address, ttl=0) for address in own
        )
        return [Reply(source="/etc/hosts", question=name, result="ok", records=records)]
    return look_up(shell.access, name, kinds=kinds)


def _rows(reply: Reply) -> list[list[Cell]]:
    style = "" if reply.result == "ok" else "red"
    head = [Cell(reply.source), Cell(reply.question), Cell(reply.result, style)]
    duration = Cell(f"{reply.milliseconds:.0f}")
    if not reply.records:
        return [[*head, Cell("no such record" if reply.result == "ok" else ""), Cell(""), duration]]
    return [
        [*head, Cell(f"{record.type} {record.value}"), Cell(str(record.ttl or "")), duration]
        for record in reply.records
    ]
