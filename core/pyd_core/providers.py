"""Choice of the provider behind an address: an engine, a cluster, or the runtime of a node."""

from __future__ import annotations

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.provider import Provider
from pyd_core.client.transport.base import Transport


def description_transport(endpoint: Endpoint, *, may_ask: bool = False) -> Transport:
    """Return the transport for code that blocks and asks for descriptions of containers, as debug sessions do.

    Args:
        endpoint: The address of an engine, or of a node's runtime.
        may_ask: Let ssh use the terminal.
    """
    if endpoint.is_node:
        from pyd_core.client.transport.threaded import ThreadedTransport  # noqa: PLC0415 - loads an event loop
        from pyd_core.cri.node_transport import NodeTransport  # noqa: PLC0415 - loads gRPC

        return ThreadedTransport(endpoint, opens=NodeTransport)
    from pyd_core.client.transport.choice import blocking_transport  # noqa: PLC0415 - few callers need it

    return blocking_transport(endpoint, may_ask=may_ask)


def open_provider(endpoint: Endpoint, *, may_ask: bool = False) -> Provider:
    """Return a client of what runs containers at `endpoint`; nothing is sent before the first call.

    Args:
        endpoint: The address.
        may_ask: Let ssh and credential plugins use the terminal; never in a full-screen program.

    Raises:
        PydError: The configuration or certificates of the address can't be used.
    """
    if endpoint.is_cluster:
        from pyd_core.kube.cluster_client import ClusterClient  # noqa: PLC0415 - engines don't need it

        return ClusterClient(endpoint, may_ask=may_ask)
    if endpoint.is_node:
        from pyd_core.cri.node_client import NodeClient  # noqa: PLC0415 - loads gRPC

        return NodeClient(endpoint)
    return open_engine(endpoint, may_ask=may_ask)
