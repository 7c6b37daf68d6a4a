"""`sockets`: the sockets in the target's network."""

from __future__ import annotations

import click

from pyd_core.debug.inspectors.sockets import SocketFacts, list_sockets
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="PROTO"),
    TableColumn(title="STATE"),
    TableColumn(title="LOCAL", cut=24, wrap=True),
    TableColumn(title="REMOTE", cut=24, rank=1, wrap=True),
    TableColumn(title="RECV-Q", right=True, rank=3),
    TableColumn(title="SEND-Q", right=True, rank=3),
    TableColumn(title="PID", right=True),
    TableColumn(title="PROCESS"),
)
_STYLES = {"listening": "green", "bound": "green", "time-wait": "dim", "closing": "dim", "close-wait": "yellow"}


@click.command(
    "sockets",
    cls=BuiltinCommand,
    examples=(
        ("sockets", "listeners first, then connections, each with its process"),
        ("sockets -l", "only listeners"),
        ("sockets -a --json", "also unix sockets, and those of other processes in the same network"),
    ),
)
@click.option("-l", "--listening", is_flag=True, help="Only listening sockets.")
@click.option(
    "-a", "--all", is_flag=True, help="Also unix sockets; on the host's network, those of other processes too."
)
@pass_shell
def command(shell: ShellContext, /, *, listening: bool, all: bool) -> None:
    """List the sockets in the target's network: listeners, connections, and the process of each."""
    sockets = list_sockets(shell.access, unix=all)
    if shell.access.container.host_config.network_mode == "host" and not all:
        sockets = [facts for facts in sockets if facts.pid is not None]  # the others are the host's
    if listening:
        sockets = [facts for facts in sockets if facts.state in ("listening", "bound")]
    if shell.json:
        write_json(sockets)
        return
    write_table(COLUMNS, [_row(facts) for facts in sockets])


def _row(facts: SocketFacts) -> list[Cell]:
    return [
        Cell(facts.protocol),
        Cell(facts.state, _STYLES.get(facts.state, "")),
        Cell(_endpoint(facts.local, facts.port)),
        Cell(_endpoint(facts.remote, facts.remote_port) if facts.remote else ""),
        Cell(str(facts.receive_queue or "")),
        Cell(str(facts.send_queue or "")),
        Cell("" if facts.pid is None else str(facts.pid)),
        Cell(facts.process),
    ]


def _endpoint(address: str, port: int) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
