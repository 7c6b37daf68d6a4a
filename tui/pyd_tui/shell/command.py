"""What builtins of the debug shell are made of: commands with examples and `--json`."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.cli.verb import CONTEXT_SETTINGS, Examples, HelpContext, write_examples
from pyd_tui.shell.context import ShellContext


class BuiltinCommand(click.Command):
    """A builtin: examples in its help, and `--json`, which sets `ShellContext.json`.

    Args:
        examples: Pairs of a line and what it does.
        json: Whether it can answer in JSON.
        arguments: As `click.Command`.
    """

    context_class = HelpContext

    def __init__(self, *arguments: Any, examples: Examples = (), json: bool = True, **options: Any) -> None:
        options.setdefault("context_settings", CONTEXT_SETTINGS)
        super().__init__(*arguments, **options)
        self.examples = examples
        if json:
            self.params.append(
                click.Option(["--json"], is_flag=True, callback=_keep, expose_value=False, help="Answer in JSON.")
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Shows the examples."""
        write_examples(self.examples, formatter)


def _keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
    if value:
        ctx.ensure_object(ShellContext).json = True
