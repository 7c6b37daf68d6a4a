"""The client of the provider that a shell's target is on."""

from __future__ import annotations

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.provider import Provider


def client_of(endpoint: Endpoint) -> Provider:
    """Return a client: an engine's has coroutines that `run_now` drives, a cluster's needs an event loop."""
    if endpoint.is_cluster:
        from pyd_core.kube.cluster_client import ClusterClient  # noqa: PLC0415 - engines don't need it

        return ClusterClient(endpoint)
    from pyd_core.client.engine_client import EngineClient  # noqa: PLC0415 - few builtins need it
    from pyd_core.client.transport.choice import blocking_transport  # noqa: PLC0415 - few builtins need it

    return EngineClient(endpoint, blocking_transport(endpoint))
