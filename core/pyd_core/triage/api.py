"""Entry point of triage for a container."""

from __future__ import annotations

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.names import resolve_container
from pyd_core.errors import NotFound
from pyd_core.triage.collect.gather import SharedEvidence, gather
from pyd_core.triage.verdict import Verdict, decide


async def explain(engine: EngineClient, name: str, *, shared: SharedEvidence | None = None) -> Verdict:
    """Return the verdict on a container.

    Raises:
        NotFound: No such container; with the nearest names.
        Ambiguous: The prefix of several ids.
        EngineUnavailable: The engine can't be reached.
    """
    try:
        case = await gather(engine, name, around=shared)
    except NotFound:
        container = await resolve_container(engine, name)
        case = await gather(engine, container.id, around=shared)
    return decide(case)
