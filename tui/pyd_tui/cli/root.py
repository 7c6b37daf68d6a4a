"""The root command: the group of all commands in the table."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import click

from pyd_tui.cli.command_table import COMMANDS, EXAMPLES
from pyd_tui.console.command import HelpContext, write_examples


class RootGroup(click.Group):
    """`pyd` itself, which loads a command of the table when it is used."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else cast("click.Command", import_module(entry.module).command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a command line; for an unknown one, suggest similar names."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=3)
            also = f"; did you mean {', '.join(near)}?" if near else ""
            ctx.fail(f"no such command: {name}{also}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete commands from the table, without loading them."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete) and entry.section
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the commands by section, from the table."""
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values() if entry.section):
            with formatter.section(section):
                formatter.write_dl(
                    [(name, entry.summary) for name, entry in COMMANDS.items() if entry.section == section]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the examples."""
        write_examples(EXAMPLES, formatter)
