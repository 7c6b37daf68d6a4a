"""Navigation between views, the first view, and the state kept for next time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from pyd_core.errors import InvalidInput
from pyd_tui.config.settings import UiState
from pyd_tui.dashboard.resources.container_filters import View
from pyd_tui.dashboard.screens.host import ScreenHost
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.screens.view import ViewScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.screen import Screen

    from pyd_tui.dashboard.engines.connection import ConnectionListener, EngineConnection
    from pyd_tui.dashboard.resources.base import LoadContext


FIRST_LINES = (
    "! what is broken · w why · S search every log · ^p go to anything · D a shell in anything · ? all keys",
    "! broken · w why · S search logs · ^p go to · D shell · ? all keys",
    "! broken · w why · S search logs · D shell · ? all keys",
)
"""Shown in the footer when the dashboard is opened for the first time: the longest that fits."""


class NavigationHost(ScreenHost, Protocol):
    """The app as navigation sees it."""

    ui_state: UiState
    """The state to restore next time."""
    load_contexts: dict[EngineConnection, LoadContext]
    """The data that the views of each engine have loaded, once one was opened."""

    @property
    def dispatcher(self) -> ConnectionListener:
        """The listener of all engines."""
        ...

    @property
    def screen(self) -> Screen[Any]:
        """The screen on top."""
        ...

    @property
    def screen_stack(self) -> Sequence[Screen[Any]]:
        """The open screens, the one on top last."""
        ...

    def pop_screen(self) -> object:
        """Close the screen on top."""
        ...

    def switch_screen(self, screen: Screen[Any]) -> object:
        """Replace the screen on top."""
        ...


def start(dashboard: NavigationHost) -> None:
    """Listen to the engines, report problems of the settings, and open the first view."""
    for link in dashboard.links:
        link.listen(dashboard.dispatcher)
        link.start()
    startup = dashboard.startup
    if startup.config_error is not None:
        dashboard.say(startup.config_error.message, "bad", startup.config_error.hint)
    elif dashboard.keys.problems:
        dashboard.say(dashboard.keys.problems[0].message, "warn", "pyd config check shows all")
    elif startup.first_time:
        fitting = (line for line in FIRST_LINES if len(line) <= dashboard.screen.size.width - 2)
        dashboard.say(next(fitting, FIRST_LINES[-1]), "accent")
    if startup.view == "containers":
        return
    from pyd_tui.dashboard.input.commands import parse  # noqa: PLC0415 - only for another first view

    try:
        call = parse(startup.view)
    except InvalidInput as error:
        dashboard.say(error.message, "warn", error.hint)
        return
    if call.verb == "view":
        open_view(dashboard, call.words[0])


def open_view(dashboard: NavigationHost, name: str) -> None:
    """Open a view in place of the current one; the containers stay below all others."""
    current = dashboard.screen.view if isinstance(dashboard.screen, ViewScreen) else ""
    if not current or name == current:
        return
    if name == "containers":
        dashboard.pop_screen()
        return
    from pyd_tui.dashboard.resources.base import LoadContext  # noqa: PLC0415 - after the first frame
    from pyd_tui.dashboard.resources.registry import resource_view  # noqa: PLC0415 - after the first frame
    from pyd_tui.dashboard.screens.browse import Browse  # noqa: PLC0415 - after the first frame

    link = dashboard.link = screen.row_link if isinstance(screen := dashboard.screen, Main) else dashboard.link
    context = dashboard.load_contexts.get(link)
    if context is None:
        context = dashboard.load_contexts[link] = LoadContext(link, dashboard.clock)
    resource = resource_view(name, link.family)
    if resource is None:
        dashboard.say(f"there is no view {name} here", "warn", "the line of views lists those that there are")
        return
    browse = Browse(resource, context)
    if current == "containers":
        dashboard.push_screen(browse)
    else:
        dashboard.switch_screen(browse)


def capture_state(dashboard: NavigationHost) -> UiState:
    """Return the state to restore next time."""
    views = [screen for screen in dashboard.screen_stack if isinstance(screen, ViewScreen)]
    if not views:
        return dashboard.ui_state
    view = views[0].table.view if isinstance(views[0], Main) else View()
    return replace(
        dashboard.ui_state,
        view=views[-1].view,
        sort=view.sort,
        running_only=view.running_only,
        broken_only=view.broken_only,
    )
