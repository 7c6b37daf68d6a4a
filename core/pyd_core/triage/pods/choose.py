"""Choice of the container that a pod's verdict is about."""

from __future__ import annotations

from collections.abc import Iterable

from pyd_core.errors import InvalidInput, NotFound, Refused
from pyd_core.kube.container_view import members
from pyd_core.kube.pod_source import PodSource
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.evidence import Case
from pyd_core.triage.verdict import Verdict

BLOCKED = "init-failed"
"""The cause of containers that only wait for another one."""

_SEVERITIES = ("fine", "notice", "broken")


async def containers_of(engine: PodSource, name: str) -> list[str]:
    """Return the ids of a pod's containers, without debug containers; empty if `name` isn't a pod's.

    Args:
        engine: The cluster.
        name: `POD`, `pod/POD` or `NAMESPACE/POD`.
    """
    store = engine.feed.store
    if store.known(name) is not None:
        return []  # a container's id
    kind, slash, rest = name.partition("/")
    if not slash:
        kind, rest = "pod", name
    if kind in {"pod", "pods", "po"}:
        namespace = store.namespace
    else:
        namespace = kind if kind == store.namespace or store.qualified else ""  # else a pod with its container
    if not namespace:
        return []
    try:
        pod = await store.pod(namespace, rest)
    except (NotFound, InvalidInput, Refused):
        return []
    return [member.id for member in members(pod, qualified=store.qualified) if member.role != "ephemeral"]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict: the most severe, and among broken ones the most specific and the most confident.

    A container that only waits for another one is never the worst if that one is broken.
    """
    return max(verdicts, key=_badness)


def _badness(verdict: Verdict) -> tuple[int, bool, int, float]:
    severity = _SEVERITIES.index(verdict.severity)
    if not verdict.broken:
        return severity, False, 0, 0.0
    return severity, verdict.cause != BLOCKED, CAUSES[verdict.cause].rank, verdict.confidence


def distinct(pairs: Iterable[tuple[Case, Verdict]]) -> list[Verdict]:
    """Return the verdicts of a scan with one for each cause of a pod, which all of its containers may have."""
    kept: list[Verdict] = []
    seen: set[tuple[str, str]] = set()
    pairs = list(pairs)
    failing = {_pod(case) for case, verdict in pairs if verdict.broken and verdict.cause != BLOCKED}
    for case, verdict in pairs:
        key = (_pod(case), verdict.cause)
        if not key[0] or CAUSES[verdict.cause].family != "pods":
            kept.append(verdict)
        elif key not in seen and not (verdict.cause == BLOCKED and key[0] in failing):
            seen.add(key)
            kept.append(verdict)
    return kept


def _pod(case: Case) -> str:
    return case.pod.pod.metadata.uid or case.pod.pod.key if case.pod is not None else ""
