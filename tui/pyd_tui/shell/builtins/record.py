"""`record`: record the terminal's output to a file."""

from __future__ import annotations

from pathlib import Path

import click

from pyd_core.errors import InvalidInput
from pyd_tui.console.output import write, write_json
from pyd_tui.shell.command import BuiltinCommand
from pyd_tui.shell.interactive_shell import ShellContext, pass_shell


@click.command(
    "record",
    cls=BuiltinCommand,
    examples=(
        ("record incident.cast", "start a recording, into a new file on this machine"),
        ("record --stop", "stop the recording; it also ends with the shell"),
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--stop", is_flag=True, help="Stop the recording.")
@pass_shell
def command(shell: ShellContext, /, *, file: Path | None, stop: bool) -> None:
    """Record the terminal's output, in asciicast v2; play it with asciinema.

    FILE is on this machine, not in the container, and must not exist. Input is recorded as far as it is echoed.
    """
    if (file is None) is not stop:
        raise InvalidInput("name a file, or use --stop")
    interactive_shell = shell.interactive()
    ended = interactive_shell.record(None if file is None else file.absolute())
    if shell.json:
        write_json({"recording": None if file is None else str(file.absolute()), "ended": ended and str(ended)})
    elif stop:
        write(f"recorded to {ended}\n" if ended else "nothing is being recorded\n")
    else:
        write(f"recording to {file}; it ends with 'record --stop' or with the shell\n")
