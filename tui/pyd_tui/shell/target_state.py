"""The target's state, requested in the background so that the prompt never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import BlockingTransport, run_now
from pyd_core.debug.reference import IMAGE
from pyd_core.errors import NotFound, PydError
from pyd_core.model.container import Container


class StateWatch:
    """The state of a target in the engine's words.

    Args:
        endpoint: The engine.
        container: The target; without an id it is a process, whose state engines don't know.
        changed: Called in another thread when the state changes.
    """

    def __init__(self, endpoint: Endpoint, container: Container, changed: Callable[[], None]) -> None:
        self._endpoint = endpoint
        # A prompt doesn't justify a connection to another machine.
        self._id = container.id if container.state.status != IMAGE and endpoint.socket_path is not None else ""
        self._changed = changed
        self._asking = threading.Lock()
        self.state = container.state.status if container.id else "process"

    def refresh(self) -> None:
        """Request the state in a thread of its own, unless a request is running."""
        if self._id and self._asking.acquire(blocking=False):
            threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        try:
            engine = ApiClient(BlockingTransport(self._endpoint), where=self._endpoint.url, read_only=True)
            state = run_now(ContainersApi(engine).inspect(self._id)).state.status
        except NotFound:
            state = "gone"
        except PydError:
            return  # the last known state stays
        finally:
            self._asking.release()
        if state != self.state:
            self.state = state
            self._changed()
