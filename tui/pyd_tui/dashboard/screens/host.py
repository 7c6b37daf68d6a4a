"""The app as screens see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyd_tui.dashboard.protocols import ActionHost

if TYPE_CHECKING:
    from pyd_tui.dashboard.actions.column_choice import ColumnChoice
    from pyd_tui.dashboard.actions.container_actions import ContainerActions
    from pyd_tui.dashboard.actions.external_commands import ExternalCommands
    from pyd_tui.dashboard.actions.transfers import Transfers
    from pyd_tui.dashboard.logs.log_tail import LogTail


class ScreenHost(ActionHost, Protocol):
    """Everything that screens use of the app."""

    @property
    def container_actions(self) -> ContainerActions:
        """Actions on containers."""
        ...

    @property
    def transfers(self) -> Transfers:
        """Downloads and the clipboard."""
        ...

    @property
    def external_commands(self) -> ExternalCommands:
        """Compose and the user's own commands."""
        ...

    @property
    def tail(self) -> LogTail:
        """The followed log of the container under the cursor."""
        ...

    @property
    def column_choice(self) -> ColumnChoice:
        """The columns of the views."""
        ...

    @property
    def own_names(self) -> list[str]:
        """The names of the user's own commands."""
        ...

    def request_quit(self, key: str = "q") -> None:
        """Quit, after asking to press the key again."""

    def measure(self) -> None:
        """Measure the containers that the top screen shows."""

    def action_help(self) -> None:
        """Show all keys."""

    def action_undo(self) -> None:
        """Undo the last action that can be undone."""

    def action_engines(self) -> None:
        """List the engines."""

    def action_merge(self) -> None:
        """List the containers of all engines together, or those of one engine."""

    def set_theme(self, name: str) -> None:
        """Switch to a theme and remember it."""
