"""`forward`: a port of this machine that leads into the target's network."""

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
    TableColumn(title="LAST ERROR", cut=30),
)


@click.command(
    "forward",
    cls=BuiltinCommand,
    examples=(
        ("forward 8080:80", "http://localhost:8080 here is port 80 there, until ctrl-c"),
        ("forward -b 5432", "the same number on both sides, in the background"),
        ("forward 0:db:5432", "what the target calls db, at a free port here"),
        ("forward ls", "those in the background"),
        ("forward stop 1", "end one; without a number all"),
    ),
)
@click.argument("place", metavar="[LOCAL:][HOST:]PORT|ls|stop")
@click.argument("number", type=int, required=False, metavar="[NUMBER]")
@click.option("-b", "--background", is_flag=True, help="Go on while the shell does.")
@pass_shell
def command(shell: ShellContext, /, *, place: str, number: int | None, background: bool) -> None:
    """Forward a port of this machine's loopback into the target's network, also to its own 127.0.0.1."""
    if place == "ls":
        _show(shell)
    elif place == "stop":
        BACKGROUND.stop(number)
    elif number is not None:
        raise InvalidInput(f"what is {number} for?", hint="write LOCAL:PORT, as in 8080:80")
    else:
        _begin(shell, place, background=background)


def _begin(shell: ShellContext, place: str, *, background: bool) -> None:
    forward = Forward(shell.access, parse_forward(place))
    where = {"local": forward.port, "host": forward.address.host, "port": forward.address.port}
    if shell.json:
        write_json(where)
    else:
        there = f"{safe(forward.address.host)}:{forward.address.port} in {shell.name}"
        click.echo(f"pyd: {forward.address.bind}:{forward.port} is {there}" + ("" if background else ", until ctrl-c"))
    sys.stdout.flush()  # whoever started it reads the port there
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
    found = BACKGROUND.running()
    if shell.json:
        write_json(
            [
                {
                    "number": number,
                    "bind": one.address.bind,
                    "local": one.port,
                    "host": one.address.host,
                    "port": one.address.port,
                    "connections": one.connections,
                    "last_error": one.last_error,
                }
                for number, one in found.items()
            ]
        )
        return
    write_table(COLUMNS, [_row(number, one) for number, one in found.items()])


def _row(number: int, one: Forward) -> list[Cell]:
    return [
        Cell(str(number)),
        Cell(f"{one.address.bind}:{one.port}"),
        Cell(f"{one.address.host}:{one.address.port}"),
        Cell(str(one.connections)),
        Cell(one.last_error, "red"),
    ]
