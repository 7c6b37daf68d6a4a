"""The request for a debug session, or for access to a target."""

from __future__ import annotations

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.sessions.debug_session import Interact


class SessionRequest(msgspec.Struct, frozen=True):
    """A session that is to be run, or access that is to be opened.

    Attributes:
        endpoint: The engine that has the target.
        options: The session's options.
        interact: Runs the session in place of `DebugSession.run`, and reports how the target ended.
    """

    endpoint: Endpoint
    options: DebugOptions
    interact: Interact | None = None
