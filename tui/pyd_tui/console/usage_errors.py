"""What click says of a command line that it can't read, as an error of pyd's own."""

from __future__ import annotations

import click

from pyd_core.errors import InvalidInput, PydError


def from_click(error: click.ClickException | click.Abort) -> PydError | KeyboardInterrupt:
    """Returns what `failures` is to tell in place of click's error."""
    match error:
        case click.Abort():
            return KeyboardInterrupt()
        case click.UsageError():
            where = f"{error.ctx.command_path} --help" if error.ctx is not None else "pyd --help"
            return InvalidInput(error.format_message().removesuffix("."), hint=f"see {where}", reference="usage")
        case _:
            return PydError(error.format_message())
