"""The question before the dashboard closes: the key must be pressed twice."""

from __future__ import annotations

from collections.abc import Callable


class QuitGuard:
    """Lets a key quit only when it is pressed twice in a row.

    Args:
        leave: Closes the dashboard.
        ask: Shows a message.
        confirm: Whether to ask at all.
    """

    def __init__(self, leave: Callable[[], None], ask: Callable[[str], None], *, confirm: bool) -> None:
        self._leave = leave
        self._ask = ask
        self._confirm = confirm
        self._pending = False
        self._confirms = False

    def on_key(self) -> None:
        """Take note of a key, before its action runs: the question counts only for the next key."""
        self._confirms, self._pending = self._pending, False

    def request(self, key: str) -> None:
        """Quit if the key before this one asked to quit, else ask to press `key` again."""
        if self._confirms or not self._confirm:
            self._leave()
        else:
            self._pending = True
            self._ask(f"press {key} again to quit")
