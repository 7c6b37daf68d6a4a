"""The click command class of the debug shell's builtins."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.console.columns import WIDE
from pyd_tui.console.command import WithExamples
from pyd_tui.shell.interactive_shell import ShellContext


class BuiltinCommand(WithExamples):
    """A builtin: examples in its help, `--json` and `--wide`.

    Args:
        json: Whether it has the options `--json`, which sets `ShellContext.json`, and `--wide`.
        arguments: As `WithExamples`.
    """

    def __init__(self, *arguments: Any, json: bool = True, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if json:
            option = click.Option(["--json"], is_flag=True, expose_value=False, callback=_set_json, help="Print JSON.")
            self.params.append(option)
            wide = click.Option(
                ["--wide"], is_flag=True, expose_value=False, callback=_set_wide, help="Ignore the terminal's width."
            )
            self.params.append(wide)


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    shell = ctx.find_object(ShellContext)
    if shell is not None:
        shell.json = value


def _set_wide(_ctx: click.Context, _: click.Parameter, value: bool) -> None:
    WIDE.set(value)
