"""Click's usage errors as errors of pyd."""

from __future__ import annotations

import click

from pyd_core.errors import InvalidInput, PydError


def from_click(error: click.ClickException | click.Abort) -> PydError | KeyboardInterrupt:
    """Return the error that `failures` reports in place of click's."""
    match error:
        case click.Abort():
            return KeyboardInterrupt()
        case click.UsageError():
            help_command = f"{error.ctx.command_path} --help" if error.ctx is not None else "pyd --help"
            return InvalidInput(error.format_message().removesuffix("."), hint=f"see {help_command}", reference="usage")
        case _:
            return PydError(error.format_message())
