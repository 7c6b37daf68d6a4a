"""Callbacks that objects subscribe to changes of another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Observers(Generic[P]):
    """Subscribed callbacks, called in the order of their subscription."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[P, None]] = []

    def subscribe(self, callback: Callable[P, None]) -> Callable[[], None]:
        """Add a callback and return a function that removes it again; calling that twice is fine."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    def notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call all callbacks that are subscribed at this moment."""
        for callback in [*self._callbacks]:
            callback(*args, **kwargs)
