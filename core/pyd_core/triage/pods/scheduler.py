"""The scheduler's message about a pod that it can't place."""

from __future__ import annotations

import re

import msgspec

_PREDICATES: tuple[tuple[str, str], ...] = (
    ("insufficient-resources", r"Insufficient \S|Too many pods|exceed max volume count"),
    ("volume-unbound", r"(?i:persistent ?volume)|volume node affinity|volume zone"),
    ("untolerated-taint", r"had (?:untolerated )?taint"),
    ("pod-affinity-mismatch", r"pod (?:affinity|anti-affinity)|topology spread|anti-affinity rules"),
    ("node-selector-mismatch", r"node affinity|node selector|requested node name"),
    ("host-port-taken", r"free ports"),
    ("node-cordoned", r"were unschedulable"),
)
"""Causes by the scheduler's words; the first match counts, so that a volume's node affinity isn't the pod's."""
_COUNTED = re.compile(r"(\d{1,6}) (\S.*)")
_HEAD = re.compile(r"(\d{1,6})/(\d{1,6}) nodes are available: ?")


class Predicate(msgspec.Struct, frozen=True):
    """A reason for which the scheduler refused nodes."""

    cause: str
    text: str
    """The scheduler's own words."""
    nodes: int | None
    """The number of refused nodes; None where the reason isn't about nodes."""


def predicates(message: str) -> tuple[int | None, tuple[Predicate, ...]]:
    """Return the number of nodes and the reasons in a scheduler's message, the most frequent reason first."""
    head = _HEAD.match(message)
    if head is None:
        return None, ()
    sentence = message[head.end() :].partition(". ")[0].rstrip(".")
    reasons = [_predicate(part.strip()) for part in sentence.split(", ") if part.strip()]
    reasons.sort(key=lambda entry: -(entry.nodes if entry.nodes is not None else int(head[2]) + 1))
    return int(head[2]), tuple(reasons)


def _predicate(text: str) -> Predicate:
    counted = _COUNTED.fullmatch(text)
    reason = counted[2] if counted else text
    cause = next((cause for cause, pattern in _PREDICATES if re.search(pattern, reason)), "unschedulable")
    return Predicate(cause, reason, int(counted[1]) if counted else None)
