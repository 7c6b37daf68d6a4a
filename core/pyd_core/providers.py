"""Choice of the provider behind an address: an engine, or a cluster."""

from __future__ import annotations

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.provider import Provider


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
    return open_engine(endpoint, may_ask=may_ask)
