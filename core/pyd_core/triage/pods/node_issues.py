"""Issues of nodes: those that don't answer, are short of a resource, or are cordoned."""

from __future__ import annotations

from pyd_core.kube.model.meta import Condition
from pyd_core.kube.model.node import PRESSURES, ClusterNode
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.scan import Issue

MAX_TEXT_LENGTH = 300


def node_issues(node: ClusterNode) -> list[Issue]:
    """Return the issues of a node."""
    name = f"node/{node.metadata.name}"
    issues = [issue for condition in node.status.conditions if (issue := _of_condition(name, condition)) is not None]
    if node.spec.unschedulable:
        text = f"{name} is cordoned: no new pods run there"
        issues.append(Issue(level="advice", kind="node-cordoned", subjects=(name,), text=text))
    return issues


def _of_condition(name: str, condition: Condition) -> Issue | None:
    reported = " ".join(f"{condition.reason}: {condition.message}".split()).removesuffix(":")[:MAX_TEXT_LENGTH]
    if condition.type == "Ready" and condition.status != "True":
        lost = condition.status == "Unknown"
        kind = "node-lost" if lost else "node-not-ready"
        return _issue(name, kind, f"{name} {'does not answer' if lost else 'is not ready'}: {reported}")
    if condition.status == "True" and (resource := PRESSURES.get(condition.type)):
        return _issue(name, "node-pressure", f"{name} is short of {resource}: {reported}")
    return None


def _issue(name: str, kind: str, text: str) -> Issue:
    return Issue(level="broken", kind=kind, subjects=(name,), text=text, advice=(CAUSES[kind].remedy,))
