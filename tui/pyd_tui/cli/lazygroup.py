"""Groups of verbs that load one when it is used: `pyd image pull`, `pyd container ls`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pyd_tui.console.command import VerbGroup

if TYPE_CHECKING:
    import click


class LazyGroup(VerbGroup):
    """A group whose verbs lie in modules of their own, as a rule those of the same verbs outside the group.

    Args:
        verbs: Module and summary by name; a colon in the module names another attribute than `command`.
        arguments: As `VerbGroup`.
    """

    def __init__(self, *arguments: Any, verbs: dict[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs' names."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Loads a verb."""
        if cmd_name not in self.verbs:
            return None
        module, _, name = self.verbs[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(f"pyd_tui.cli.{module}"), name or "command"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The verbs, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.verbs.items()])
