"""Rules about the nodes of pods."""

from __future__ import annotations

from pyd_core.kube.model.meta import Condition
from pyd_core.kube.model.node import PRESSURES
from pyd_core.triage.evidence import Case, Item
from pyd_core.triage.rule import Conclusion, RuleBook

BOOK = RuleBook()


def _ready(case: Case) -> Condition | None:
    """Return the condition Ready of a node that isn't."""
    node = case.pod.node if case.pod is not None else None
    if node is None:
        return None
    return next((entry for entry in node.status.conditions if entry.type == "Ready" and entry.status != "True"), None)


def _condition_item(condition: Condition) -> Item:
    text = f"{condition.type} {condition.status}, {condition.reason}: {condition.message}"
    return Item(source="node", text=text[:1000], time_ns=condition.changed_ns)


@BOOK.rule(
    "node-lost",
    needs=("node",),
    says="Its node's condition Ready is Unknown; or its pod isn't ready though all containers are, without a reason.",
)
def node_lost(case: Case) -> Conclusion | None:
    """Conclude that its node doesn't answer."""
    facts = case.pod
    if facts is None or facts.finished:
        return None
    condition = _ready(case)
    name = facts.pod.spec.node_name
    if condition is not None and condition.status == "Unknown":
        return Conclusion(
            cause="node-lost",
            confidence=0.97,
            evidence=(_condition_item(condition),),
            summary=f"runs on the node {name}, which doesn't answer; its state isn't known",
            reason=f"node {name} doesn't answer",
        )
    ready, containers = facts.pod.condition("Ready"), facts.pod.condition("ContainersReady")
    if facts.node is not None or ready is None or containers is None:
        return None
    if ready.status != "False" or ready.reason or containers.status != "True":
        return None
    # The node controller sets Ready without a reason and leaves the containers as its kubelet last reported them.
    return Conclusion(
        cause="node-lost",
        confidence=0.85,
        evidence=(facts.item("Ready False, ContainersReady True", ready.changed_ns),),
        summary=f"runs on the node {name}, which probably doesn't answer; its state isn't known",
        reason=f"node {name} doesn't answer",
    )


@BOOK.rule("node-not-ready", needs=("node",), says="Its pod isn't ready, and its node's condition Ready is False.")
def node_not_ready(case: Case) -> Conclusion | None:
    """Conclude that its node isn't ready."""
    condition = _ready(case)
    if case.pod is None or case.pod.finished or condition is None or condition.status != "False":
        return None
    name = case.pod.pod.spec.node_name
    return Conclusion(
        cause="node-not-ready",
        confidence=0.9,
        evidence=(_condition_item(condition),),
        summary=f"runs on the node {name}, which isn't ready: {condition.message[:200]}",
        reason=f"node {name} isn't ready",
    )


@BOOK.rule("node-pressure", needs=("node",), says="Its pod isn't ready, and its node has a condition of pressure.")
def node_pressure(case: Case) -> Conclusion | None:
    """Conclude that its node is short of a resource."""
    node = case.pod.node if case.pod is not None else None
    if case.pod is None or node is None:
        return None
    held = [entry for entry in node.status.conditions if entry.type in PRESSURES and entry.status == "True"]
    if not held:
        return None
    short = ", ".join(PRESSURES[entry.type] for entry in held)
    return Conclusion(
        cause="node-pressure",
        confidence=0.9,
        evidence=tuple(_condition_item(entry) for entry in held),
        summary=f"runs on the node {case.pod.pod.spec.node_name}, which is short of {short}",
        reason=f"node short of {short}",
    )
