"""Queue of containers to inspect: a few at a time, urgent ones first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from pyd_core.errors import EngineUnavailable, NotFound, PydError
from pyd_core.model.container import Container
from pyd_core.tasks import TaskOwner

MAX_CONCURRENCY = 4
"""More concurrent inspects aren't faster and delay other clients."""


class Inspector:
    """A queue of containers to inspect.

    Args:
        inspect: Returns a container's data.
        tasks: Owns the requests.
        on_found: Called with each inspect document.
        on_gone: Called with the id of a container that no longer exists.
        max_concurrency: Concurrent requests.
    """

    def __init__(
        self,
        inspect: Callable[[str], Awaitable[Container]],
        tasks: TaskOwner,
        *,
        on_found: Callable[[Container], None],
        on_gone: Callable[[str], None],
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> None:
        self._request = inspect
        self._tasks = tasks
        self._on_found = on_found
        self._on_gone = on_gone
        self._max_concurrency = max_concurrency
        # A plain dict walks over all that was taken from its front before it finds the next one.
        self._urgent: OrderedDict[str, None] = OrderedDict()
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._active: set[str] = set()
        self._routine: set[str] = set()
        self._paused = True

    def enqueue_urgent(self, identity: str) -> None:
        """Inspect a container soon: an event made known or currently fetched data outdated."""
        self._waiting.pop(identity, None)
        self._urgent[identity] = None

    def enqueue(self, identities: Iterable[str]) -> None:
        """Inspect containers once nothing urgent is left."""
        for identity in identities:
            if identity not in self._urgent:
                self._waiting[identity] = None

    def is_routine(self, identity: str) -> bool:
        """Return whether the current inspect of a container wasn't caused by an event."""
        return identity in self._routine

    def discard(self, identity: str) -> None:
        """Remove a container from the queue."""
        self._urgent.pop(identity, None)
        self._waiting.pop(identity, None)

    def pause(self) -> None:
        """Keep the queue but send nothing, while the engine can't be reached."""
        self._paused = True

    def resume(self) -> None:
        """Send requests again."""
        self._paused = False
        self._fill()

    def _fill(self) -> None:
        while not self._paused and len(self._active) < self._max_concurrency:
            identity = next((candidate for candidate in self._urgent if candidate not in self._active), None)
            is_routine = identity is None
            if identity is None:
                identity = next((candidate for candidate in self._waiting if candidate not in self._active), None)
            if identity is None:
                return
            self.discard(identity)
            self._active.add(identity)
            (self._routine.add if is_routine else self._routine.discard)(identity)
            self._tasks.start(self._inspect(identity))

    async def _inspect(self, identity: str) -> None:
        try:
            container = await self._request(identity)
        except NotFound:
            self._on_gone(identity)
        except EngineUnavailable:
            self.enqueue([identity])
            self._paused = True  # until the watcher reports that the engine is back
        except PydError:
            pass  # the engine can't describe this container; its list entry is kept
        else:
            if identity not in self._urgent:
                self._on_found(container)
        finally:
            self._active.discard(identity)
            self._routine.discard(identity)
        self._fill()
