"""Rules about pods that are being deleted."""

from __future__ import annotations

from pyd_core.humanize import duration
from pyd_core.model.base import parse_time
from pyd_core.triage.evidence import Case
from pyd_core.triage.pods.facts import PodFacts
from pyd_core.triage.rule import Conclusion, RuleBook

BOOK = RuleBook()

MAX_LATE_S = 60
"""Seconds after the grace period in which a pod is usually gone."""


def _late(case: Case) -> tuple[PodFacts, float] | None:
    """Return the seconds since the end of the grace period of a pod that is being deleted."""
    facts = case.pod
    due_ns = parse_time(facts.pod.metadata.deletion_timestamp or "") if facts is not None else None
    if facts is None or due_ns is None:
        return None
    return facts, (case.now_ns - due_ns) / 1e9


@BOOK.rule(
    "finalizer-blocks-deletion",
    needs=("pod",),
    says="It is deleted, its containers have ended or its grace period is over, and it has finalizers.",
)
def finalizer_blocks_deletion(case: Case) -> Conclusion | None:
    """Conclude that a finalizer keeps it."""
    late = _late(case)
    if late is None or not late[0].pod.metadata.finalizers:
        return None
    facts, late_s = late
    runs = any(status.state.running is not None for status in facts.pod.status.container_statuses)
    if runs:
        return None
    names = ", ".join(facts.pod.metadata.finalizers[:5])
    return Conclusion(
        cause="finalizer-blocks-deletion",
        confidence=0.95 if late_s > 0 else 0.8,
        evidence=(
            facts.item(f"deleted, finalizers: {names}", parse_time(facts.pod.metadata.deletion_timestamp or "")),
        ),
        summary=f"is deleted, but kept by the finalizer {names}",
        reason=f"finalizer {names}",
        advice=("pyd inspect {name}",),
    )


@BOOK.rule("stuck-terminating", needs=("pod",), says="It is deleted, and its grace period ended over a minute ago.")
def stuck_terminating(case: Case) -> Conclusion | None:
    """Conclude that its deletion is stuck."""
    late = _late(case)
    if late is None or late[1] < MAX_LATE_S:
        return None
    facts, late_s = late
    return Conclusion(
        cause="stuck-terminating",
        confidence=0.9,
        evidence=(facts.item("deleted", parse_time(facts.pod.metadata.deletion_timestamp or "")),),
        summary=f"is still there {duration(late_s)} after its grace period; its node {facts.pod.spec.node_name} "
        "hasn't confirmed its end",
        reason="deletion is stuck",
        advice=("pyd inspect {name}",),
    )


@BOOK.rule("terminating", needs=("pod",), says="It is deleted, and its grace period isn't over.")
def terminating(case: Case) -> Conclusion | None:
    """Conclude that it is being deleted."""
    late = _late(case)
    if late is None or late[1] >= MAX_LATE_S:
        return None
    facts, late_s = late
    left = f"; its grace period ends in {duration(-late_s)}" if late_s < 0 else ""
    return Conclusion(
        cause="terminating",
        confidence=0.95,
        evidence=(facts.item("deleted", parse_time(facts.pod.metadata.deletion_timestamp or "")),),
        summary=f"is being deleted{left}",
    )
