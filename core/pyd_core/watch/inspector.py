"""Inspecting what changed: few at a time, the urgent first, each as often as needed and no more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import EngineUnavailable, NotFound, PydError
from pyd_core.model.container import Container
from pyd_core.tasks import TaskOwner

AT_ONCE = 4
"""Inspects an engine gets at a time: more make none of them faster and everybody else wait."""


class Inspector:
    """A queue of containers to inspect.

    Args:
        engine: Whose containers they are.
        tasks: Owns the requests.
        found: Called with each answer.
        gone: Called with the id of a container that doesn't exist any more.
        at_once: Requests at a time.
    """

    def __init__(
        self,
        engine: EngineClient,
        tasks: TaskOwner,
        *,
        found: Callable[[Container], None],
        gone: Callable[[str], None],
        at_once: int = AT_ONCE,
    ) -> None:
        self._engine = engine
        self._tasks = tasks
        self._found = found
        self._gone = gone
        self._at_once = at_once
        # A plain dict walks over all that was taken from its front before it finds the next one.
        self._urgent: OrderedDict[str, None] = OrderedDict()
        self._later: OrderedDict[str, None] = OrderedDict()
        self._active: set[str] = set()
        self._in_turn: set[str] = set()
        self._paused = True

    def want(self, identity: str) -> None:
        """An event named it: what is known, or being fetched just now, is out of date."""
        self._later.pop(identity, None)
        self._urgent[identity] = None

    def want_later(self, identities: Iterable[str]) -> None:
        """These are worth knowing when nothing else is to do."""
        for identity in identities:
            if identity not in self._urgent:
                self._later[identity] = None

    def in_turn(self, identity: str) -> bool:
        """Whether the one that is being inspected isn't so because an event named it."""
        return identity in self._in_turn

    def forget(self, identity: str) -> None:
        """It is gone."""
        self._urgent.pop(identity, None)
        self._later.pop(identity, None)

    def pause(self) -> None:
        """The engine doesn't answer: keep the queue, send nothing."""
        self._paused = True

    def go(self) -> None:
        """Send what may be sent."""
        self._paused = False
        self._fill()

    def _fill(self) -> None:
        while not self._paused and len(self._active) < self._at_once:
            identity = next((one for one in self._urgent if one not in self._active), None)
            in_turn = identity is None
            if identity is None:
                identity = next((one for one in self._later if one not in self._active), None)
            if identity is None:
                return
            self.forget(identity)
            self._active.add(identity)
            (self._in_turn.add if in_turn else self._in_turn.discard)(identity)
            self._tasks.start(self._inspect(identity))

    async def _inspect(self, identity: str) -> None:
        try:
            found = await self._engine.containers.inspect(identity)
        except NotFound:
            self._gone(identity)
        except EngineUnavailable:
            self.want_later([identity])
            self._paused = True  # until somebody who listens to the engine says that it is back
        except PydError:
            pass  # one container the engine itself can't describe; what the list says of it stays
        else:
            if identity not in self._urgent:
                self._found(found)
        finally:
            self._active.discard(identity)
            self._in_turn.discard(identity)
        self._fill()
