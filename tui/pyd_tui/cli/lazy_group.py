"""Command groups that load a subcommand when it is used: `pyd image pull`, `pyd container ls`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pyd_tui.console.command import PydGroup

if TYPE_CHECKING:
    import click


class LazyGroup(PydGroup):
    """A group whose subcommands lie in `commands/GROUP/VERB.py`.

    Args:
        verbs: A summary for each subcommand, so that help needn't load them.
        aliases: Subcommands that lie elsewhere, as `NOUN.VERB`.
        arguments: As `VerbGroup`.
    """

    def __init__(
        self, *arguments: Any, verbs: Mapping[str, str], aliases: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.verbs = verbs
        self.aliases = aliases or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the subcommands."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a subcommand."""
        if cmd_name not in self.verbs:
            return None
        module = self.aliases.get(cmd_name) or f"{self.name}.{module_name(cmd_name)}"
        return cast("click.Command", import_module(f"pyd_tui.cli.commands.{module}").command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the summaries, without loading the subcommands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.verbs.items()))


def module_name(verb: str) -> str:
    """Return the name of a subcommand's module: `join_token` for `join-token`, `import_` for the keyword `import`."""
    return "import_" if verb == "import" else verb.replace("-", "_")
