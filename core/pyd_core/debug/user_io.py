"""The user of a debug session: notices, progress and questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class UserIO(Protocol):
    """A session's connection to its user."""

    def notify(self, line: str, /) -> None:
        """Show a line."""
        ...

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show how far the build of a toolbox, or a copy of files, is."""
        ...

    @property
    def ask(self) -> Callable[[str], str] | None:
        """The function that shows a question and returns the answer; None where questions can't be asked."""
        ...


class NoticesOnly:
    """A `UserIO` that shows notices, hides progress and asks nothing.

    Args:
        notify: Shows a line.
    """

    ask: Callable[[str], str] | None = None

    def __init__(self, notify: Callable[[str], None]) -> None:
        self.notify = notify

    def progress(self, stage: str, done: int, total: int) -> None:
        """See `UserIO`."""
