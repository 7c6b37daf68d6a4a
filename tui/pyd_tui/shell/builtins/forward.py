"""`forward`: forward a port of this machine into the target's network."""

from __future__ import annotations

import sys

import click

from pyd_core.debug.forward import BACKGROUND, Forward, parse_forward
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.output import write, write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell

COLUMNS = (
    TableColumn(title="#", right=True),
    TableColumn(title="HERE"),
    TableColumn(title="THERE"),
    TableColumn(title="CONNECTIONS", right=True),
    TableColumn(title="LAST ERROR", cut=30, wrap=True),
)


@click.command(
    "forward",
    cls=BuiltinCommand,
    examples=(
        ("forward 8080:80", "http://localhost:8080 here is port 80 there, until ctrl-c"),
        ("forward -b 5432", "the same number on both sides, in the background"),
        ("forward 0:db:5432", "the host that the target calls db, at a free port here"),
        ("forward ls", "list those in the background"),
        ("forward stop 1", "stop one; without a number, all"),
    ),
)
@click.argument("endpoint", metavar="[LOCAL:][HOST:]PORT|ls|stop")
@click.argument("number", type=int, required=False, metavar="[NUMBER]")
@click.option("-b", "--background", is_flag=True, help="Keep forwarding until the shell ends.")
@pass_shell
def command(shell: ShellContext, /, *, endpoint: str, number: int | None, background: bool) -> None:
    """Forward a port of this machine's loopback into the target's network, also to its own 127.0.0.1."""
    if endpoint == "ls":
        _show(shell)
    elif endpoint == "stop":
        BACKGROUND.stop(number)
    elif number is not None:
        raise InvalidInput(f"unexpected argument: {number}", hint="write LOCAL:PORT, as in 8080:80")
    else:
        _start_forward(shell, endpoint, background=background)


def _start_forward(shell: ShellContext, endpoint: str, *, background: bool) -> None:
    forward = Forward(shell.access, parse_forward(endpoint))
    address = {"local": forward.port, "host": forward.address.host, "port": forward.address.port}
    if shell.json:
        write_json(address)
    else:
        destination = f"{safe(forward.address.host)}:{forward.address.port} in {shell.name}"
        click.echo(
            f"pyd: {forward.address.bind}:{forward.port} is {destination}" + ("" if background else ", until ctrl-c")
        )
    sys.stdout.flush()  # programs that start it read the port from it
    if background:
        BACKGROUND.add(forward)
        return
    try:
        forward.wait()
    except KeyboardInterrupt:
        write("\n")
    finally:
        forward.close()


def _show(shell: ShellContext) -> None:
    forwards = BACKGROUND.running()
    if shell.json:
        write_json(
            [
                {
                    "number": number,
                    "bind": forward.address.bind,
                    "local": forward.port,
                    "host": forward.address.host,
                    "port": forward.address.port,
                    "connections": forward.connections,
                    "last_error": forward.last_error,
                }
                for number, forward in forwards.items()
            ]
        )
        return
    write_table(COLUMNS, [_row(number, forward) for number, forward in forwards.items()])


def _row(number: int, forward: Forward) -> list[Cell]:
    return [
        Cell(str(number)),
        Cell(f"{forward.address.bind}:{forward.port}"),
        Cell(f"{forward.address.host}:{forward.address.port}"),
        Cell(str(forward.connections)),
        Cell(forward.last_error, "red"),
    ]
