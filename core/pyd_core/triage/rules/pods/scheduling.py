"""Rules about pods that the scheduler can't place."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.triage.evidence import Case, Item
from pyd_core.triage.pods.facts import MAX_MESSAGE_LENGTH, PodFacts, event_item
from pyd_core.triage.pods.scheduler import Predicate, predicates
from pyd_core.triage.rule import Conclusion, RuleBook

BOOK = RuleBook()

_ADVICE: dict[str, tuple[str, ...]] = {
    "insufficient-resources": ("pyd inspect {name}",),
    "node-selector-mismatch": ("pyd inspect {name}",),
}


def _refusal(case: Case) -> tuple[PodFacts, str] | None:
    """Return the scheduler's message about a pod that has no node."""
    facts = case.pod
    if facts is None or facts.pod.spec.node_name or facts.finished:
        return None
    scheduled = facts.pod.condition("PodScheduled")
    if scheduled is None or scheduled.status != "False" or scheduled.reason != "Unschedulable":
        return None
    return facts, scheduled.message[:MAX_MESSAGE_LENGTH]


def _evidence(facts: PodFacts, message: str) -> tuple[Item, ...]:
    scheduled = facts.pod.condition("PodScheduled")
    items = [facts.item(f"Unschedulable: {message}", scheduled.changed_ns if scheduled is not None else None)]
    items += [event_item(event) for event in [*facts.events_of("FailedScheduling")][:1]]
    return tuple(items)


def _for(cause: str) -> Callable[[Case], Conclusion | None]:
    def test(case: Case) -> Conclusion | None:
        refused = _refusal(case)
        if refused is None:
            return None
        facts, message = refused
        total, reasons = predicates(message)
        if cause == "volume-unbound" and facts.missing_claims:
            return None
        own = next((reason for reason in reasons if reason.cause == cause), None)
        if own is None:
            return None
        return Conclusion(
            cause=cause,
            confidence=0.95 if own is reasons[0] else 0.8,
            evidence=_evidence(facts, message),
            summary=f"can't be placed on {_nodes(total)}: {_words(reasons)}",
            reason=_words(reasons),
            advice=_ADVICE.get(cause, ()),
        )

    return test


def _nodes(total: int | None) -> str:
    return "a node" if total is None else "the only node" if total == 1 else f"any of {total} nodes"


def _words(reasons: tuple[Predicate, ...]) -> str:
    """Return all reasons with their numbers of nodes, in the scheduler's words."""
    texts = []
    for reason in reasons:
        text = reason.text.removeprefix("node(s) ").removeprefix("Pod's ")
        texts.append(text if reason.nodes is None else f"{text} ({reason.nodes} node{'s' * (reason.nodes != 1)})")
    return ", ".join(texts)


for _cause, _what in (
    ("insufficient-resources", "lack a requested resource"),
    ("untolerated-taint", "have a taint that it doesn't tolerate"),
    ("node-selector-mismatch", "don't match its node selector or affinity"),
    ("pod-affinity-mismatch", "don't satisfy its pod affinity or topology spread"),
    ("host-port-taken", "have no free host port"),
    ("node-cordoned", "are cordoned"),
    ("volume-unbound", "can't use its volumes, or that a claim isn't bound"),
    ("unschedulable", "were refused for another reason"),
):
    BOOK.rule(_cause, needs=("pod",), says=f"The scheduler's message says that nodes {_what}.")(_for(_cause))


@BOOK.rule("unschedulable", needs=("pod",), says="The scheduler's message isn't of a known form.")
def unschedulable(case: Case) -> Conclusion | None:
    """Conclude that it can't be placed, for a reason that only the scheduler's message has."""
    refused = _refusal(case)
    if refused is None or predicates(refused[1])[1]:
        return None
    facts, message = refused
    return Conclusion(
        cause="unschedulable",
        confidence=0.8,
        evidence=_evidence(facts, message),
        summary=f"can't be placed on a node: {message[:300]}",
        reason=message[:160],
    )


@BOOK.rule(
    "volume-claim-missing", needs=("pod",), says="It has no node, and a volume claim that it uses doesn't exist."
)
def volume_claim_missing(case: Case) -> Conclusion | None:
    """Conclude that a volume claim doesn't exist."""
    refused = _refusal(case)
    if refused is None or not refused[0].missing_claims:
        return None
    facts, message = refused
    names = ", ".join(facts.missing_claims)
    return Conclusion(
        cause="volume-claim-missing",
        confidence=0.97,
        evidence=(Item(source="cluster", text=f"no such persistentvolumeclaim: {names}"), *_evidence(facts, message)),
        summary=f"can't be placed on a node: the volume claim {names} doesn't exist",
        reason=f"no volume claim {names}",
    )


@BOOK.rule("scheduling-gated", needs=("pod",), says="Its condition PodScheduled has the reason SchedulingGated.")
def scheduling_gated(case: Case) -> Conclusion | None:
    """Conclude that a scheduling gate holds it back."""
    facts = case.pod
    scheduled = facts.pod.condition("PodScheduled") if facts is not None else None
    if facts is None or scheduled is None or scheduled.reason != "SchedulingGated":
        return None
    return Conclusion(
        cause="scheduling-gated",
        confidence=0.97,
        evidence=(facts.item(f"SchedulingGated: {scheduled.message}", scheduled.changed_ns),),
        summary="isn't scheduled yet: a scheduling gate holds it back",
    )
