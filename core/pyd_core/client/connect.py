"""Asynchronous engine clients for endpoints."""

from __future__ import annotations

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.transport.local import LocalTransport


def open_engine(endpoint: Endpoint, *, may_ask: bool = False) -> EngineClient:
    """Return a client of the engine at `endpoint`; nothing is sent before the first call.

    One-shot commands on a unix socket start faster with `transport.blocking.blocking_engine`; over TCP and ssh they
    use this client too.

    Args:
        endpoint: A local socket, TCP with or without TLS, or ssh.
        may_ask: Let ssh ask for passwords and unknown host keys on the terminal; never in a full-screen program.

    Raises:
        ConfigError: The endpoint's certificates can't be used.
    """
    if endpoint.scheme == "ssh":
        from pyd_core.client.transport.ssh import SshTransport  # noqa: PLC0415 - few engines are reached over ssh

        return EngineClient(endpoint, SshTransport(endpoint, may_ask=may_ask))
    if (path := endpoint.socket_path) is not None:
        return EngineClient(endpoint, LocalTransport(endpoint, path))
    from pyd_core.client.transport.http import HttpTransport  # noqa: PLC0415 - local engines don't need it

    return EngineClient(endpoint, HttpTransport(endpoint))
