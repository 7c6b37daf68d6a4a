"""Entry point of triage for a container."""

from __future__ import annotations

from pyd_core.client.names import resolve_container
from pyd_core.client.provider import Provider
from pyd_core.errors import NotFound
from pyd_core.kube.pod_source import PodSource
from pyd_core.triage.collect.gather import SharedEvidence, gather
from pyd_core.triage.verdict import Verdict, decide


async def explain(
    engine: Provider, name: str, *, shared: SharedEvidence | None = None, now_ns: int | None = None
) -> Verdict:
    """Return the verdict on a container; for the name of a pod, on the worst of its containers.

    Args:
        engine: The engine or cluster.
        name: A name or id.
        shared: What is the same for all containers.
        now_ns: The present, nanoseconds since the epoch.

    Raises:
        NotFound: No such container; with the nearest names.
        Ambiguous: The prefix of several ids.
        EngineUnavailable: The engine can't be reached.
    """
    if isinstance(engine, PodSource):
        from pyd_core.triage.pods.choose import containers_of, worst  # noqa: PLC0415 - engines don't need it

        if pod := await containers_of(engine, name):
            shared = shared or await SharedEvidence.of(engine)
            return worst([decide(await gather(engine, identity, around=shared, now_ns=now_ns)) for identity in pod])
    try:
        case = await gather(engine, name, around=shared, now_ns=now_ns)
    except NotFound:
        container = await resolve_container(engine, name)
        case = await gather(engine, container.id, around=shared, now_ns=now_ns)
    return decide(case)
