"""From an endpoint to an engine, on an event loop."""

from __future__ import annotations

from pyd_core.engine.client import Engine
from pyd_core.engine.endpoint import Endpoint
from pyd_core.engine.transport.http import HttpTransport


def open_engine(endpoint: Endpoint) -> Engine:
    """Returns a client of the engine at `endpoint`; nothing is sent before its first call.

    One-shot commands on a unix socket start faster with `transport.blocking.blocking_engine`.
    """
    return Engine(endpoint, HttpTransport(endpoint))
