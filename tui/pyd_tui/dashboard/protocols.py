"""The parts of the app that screens, panels and actions may use.

They import these protocols and never the app itself, so that the app is the only module that knows all the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.timer import Timer

    from pyd_core.tasks import TaskOwner
    from pyd_core.watch.delta import Delta
    from pyd_tui.dashboard.actions.job_progress import Jobs
    from pyd_tui.dashboard.actions.undo import UndoBar
    from pyd_tui.dashboard.engines.connection import Choose, EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.input.key_bindings import Keys
    from pyd_tui.dashboard.render.figures import Clock
    from pyd_tui.dashboard.render.pieces import Role
    from pyd_tui.dashboard.startup.startup_state import StartupState


class Notifier(Protocol):
    """Shows messages in the bottom line."""

    def say(self, text: str, role: Role = "text", hint: str = "") -> None:
        """Show a message until the next key."""


class EngineRegistry(Protocol):
    """The engines that the dashboard knows, and those whose containers it lists."""

    links: list[EngineConnection]
    """All engines."""
    link: EngineConnection
    """The current engine."""

    @property
    def merged(self) -> bool:
        """Whether the containers of all engines are in one list."""
        ...

    @property
    def in_sight(self) -> Sequence[EngineConnection]:
        """The engines whose containers are listed."""
        ...

    def add_engine(self, choose: Choose, name: str) -> EngineConnection:
        """Add an engine without connecting to it."""
        ...

    def use(self, link: EngineConnection) -> None:
        """Make an engine the current one, and list only its containers."""

    def may_change(self, *links: EngineConnection) -> bool:
        """Return whether changes are allowed on these engines; if not, show why."""
        ...


class Navigator(Protocol):
    """Opens views and screens."""

    def open_view(self, name: str) -> None:
        """Open a view in place of the current one."""

    def open_output(self, argv: Sequence[str], title: str, environment: Mapping[str, str]) -> None:
        """Run a program, and show its output on a screen of its own."""

    def open_file(self, target: RowTarget | None, path: str, data: bytes) -> None:
        """Show the beginning of a container's file on a screen of its own."""


class Timers(Protocol):
    """Calls functions at intervals."""

    def set_interval(self, interval: float, callback: Callable[[], None], *, pause: bool = False) -> Timer:
        """Call a function every `interval` seconds."""
        ...


class EngineListener(Protocol):
    """A screen that follows what happens on its engines."""

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engines that the screen shows."""
        ...

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Take changes of one of the engines; `happened` is whether there are events worth showing."""

    def on_other_engine_changed(self) -> None:
        """Take note of a change on an engine that the screen doesn't show."""

    def measured(self) -> None:
        """Take new figures of resource use."""

    def judged(self) -> None:
        """Take a new verdict."""

    def ticked(self) -> None:
        """Show how old the data is, once a second while it isn't current."""


class ActionHost(Notifier, EngineRegistry, Navigator, Protocol):
    """Runs actions: owns their tasks, shows their dialogs and their progress."""

    @property
    def clock(self) -> Clock:
        """The clock that times are shown by."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Long-running work, with its progress."""
        ...

    @property
    def keys(self) -> Keys:
        """The effective keys and the user's own commands."""
        ...

    @property
    def startup(self) -> StartupState:
        """The settings and state that the dashboard started with."""
        ...

    @property
    def undo_bar(self) -> UndoBar:
        """The offer to undo the last action."""
        ...

    @property
    def tasks(self) -> TaskOwner:
        """The owner of background tasks."""
        ...

    def push_screen(self, screen: Screen[Any], callback: Callable[[Any], None] | None = None) -> object:
        """Open a screen on top; `callback` gets its result."""
        ...

    async def run_in_terminal(
        self, argv: Sequence[str], *, wait_on: frozenset[int] = frozenset(), env: Mapping[str, str] | None = None
    ) -> int:
        """Leave the terminal to a program, and return its exit code.

        Args:
            argv: The program.
            wait_on: Exit codes after which the user presses a key first, to have read the output.
            env: Its environment; None is that of this process.
        """
        ...

    def copy_to_clipboard(self, text: str) -> None:
        """Put text on the terminal's clipboard."""


class FileHost(Notifier, Protocol):
    """Runs the tasks of a pane of files, and shows the files it reads."""

    @property
    def clock(self) -> Clock:
        """The clock that times are shown by."""
        ...

    @property
    def tasks(self) -> TaskOwner:
        """The owner of background tasks."""
        ...

    def open_file(self, target: RowTarget | None, path: str, data: bytes) -> None:
        """Show the beginning of a container's file on a screen of its own."""


class FileActions(Protocol):
    """Copies text, and takes files out of containers."""

    def copy(self, text: str) -> None:
        """Put text on the clipboard, or save it where the terminal has none."""

    def download(self, target: RowTarget, path: str) -> None:
        """Ask for a directory, and download a file or a directory from a container to it."""
