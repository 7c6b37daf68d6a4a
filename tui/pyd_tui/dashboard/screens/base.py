"""What the dashboard's screens have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from pyd_core.fleet.delta import Delta
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from pyd_tui.dashboard.app import Dashboard


class LiveScreen(Screen[None]):
    """A screen that is told what happens, whether it is on top or not."""

    @property
    def dashboard(self) -> Dashboard:
        """The app, as what it is."""
        return cast("Dashboard", self.app)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, keys are text."""
        return not isinstance(self.focused, Prompt) and super().check_action(action, parameters)

    def changed(self, delta: Delta, *, happened: bool) -> None:
        """The fleet changed; `happened` says whether there are events worth showing."""

    def measured(self) -> None:
        """There are new figures of resource use."""

    def judged(self) -> None:
        """There is a verdict more."""

    def logged(self) -> None:
        """There is more of the log that is followed."""

    def ticked(self) -> None:
        """A second went by while what is shown is not current."""

    def watched(self) -> set[str]:
        """Returns the ids of the containers whose resource use this screen shows."""
        return set()
