"""Inspecting what changed: few at a time, the urgent first, each as often as needed and no more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import EngineUnavailable, NotFound, PydError
from pyd_core.model.container import Container
from pyd_core.tasks import TaskOwner

MAX_CONCURRENCY = 4
"""Inspects an engine gets at a time: more make none of them faster and everybody else wait."""


class Inspector:
    """A queue of containers to inspect.

    Args:
        engine: Whose containers they are.
        tasks: Owns the requests.
        on_found: Called with each answer.
        on_gone: Called with the id of a container that doesn't exist any more.
        max_concurrency: Requests at a time.
    """

    def __init__(
        self,
        engine: EngineClient,
        tasks: TaskOwner,
        *,
        on_found: Callable[[Container], None],
        on_gone: Callable[[str], None],
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> None:
        self._engine = engine
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
        """An event named it: what is known, or being fetched just now, is out of date."""
        self._waiting.pop(identity, None)
        self._urgent[identity] = None

    def enqueue(self, identities: Iterable[str]) -> None:
        """These are worth knowing when nothing else is to do."""
        for identity in identities:
            if identity not in self._urgent:
                self._waiting[identity] = None

    def is_routine(self, identity: str) -> bool:
        """Whether the one that is being inspected isn't so because an event named it."""
        return identity in self._routine

    def discard(self, identity: str) -> None:
        """It is gone."""
        self._urgent.pop(identity, None)
        self._waiting.pop(identity, None)

    def pause(self) -> None:
        """The engine doesn't answer: keep the queue, send nothing."""
        self._paused = True

    def resume(self) -> None:
        """Send what may be sent."""
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
            container = await self._engine.containers.inspect(identity)
        except NotFound:
            self._on_gone(identity)
        except EngineUnavailable:
            self.enqueue([identity])
            self._paused = True  # until somebody who listens to the engine says that it is back
        except PydError:
            pass  # one container the engine itself can't describe; what the list says of it stays
        else:
            if identity not in self._urgent:
                self._on_found(container)
        finally:
            self._active.discard(identity)
            self._routine.discard(identity)
        self._fill()
