"""The transport for code that blocks, whatever the way to the engine."""

from __future__ import annotations

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.base import Transport
from pyd_core.client.transport.blocking import BlockingTransport


def blocking_transport(endpoint: Endpoint, *, may_ask: bool = False) -> Transport:
    """Return a transport whose coroutines `run_now` drives; `aclose` ends what it has running.

    Args:
        endpoint: A local socket, TCP with or without TLS, or ssh.
        may_ask: Let ssh ask for passwords and unknown host keys on the terminal.
    """
    if endpoint.socket_path is not None:
        return BlockingTransport(endpoint)
    from pyd_core.client.transport.threaded import ThreadedTransport  # noqa: PLC0415 - loads an event loop

    return ThreadedTransport(endpoint, may_ask=may_ask)
