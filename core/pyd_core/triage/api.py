"""Asking for the verdict on a container."""

from __future__ import annotations

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.names import resolve_container
from pyd_core.errors import NotFound
from pyd_core.triage.collect.gather import SharedEvidence, gather
from pyd_core.triage.verdict import Verdict, decide


async def explain(engine: EngineClient, name: str, *, shared: SharedEvidence | None = None) -> Verdict:
    """Return why a container is as it is.

    Raises:
        NotFound: No such container; with the nearest names.
        Ambiguous: The beginning of several ids.
        EngineUnavailable: The engine doesn't answer.
    """
    try:
        case = await gather(engine, name, around=shared)
    except NotFound:
        container = await resolve_container(engine, name)
        case = await gather(engine, container.id, around=shared)
    return decide(case)
