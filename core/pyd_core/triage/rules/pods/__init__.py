"""Rules about pods of a cluster. They test the pod's status and events, never a container's output."""

from __future__ import annotations

from pyd_core.triage.rule import Rule
from pyd_core.triage.rules.pods import deletion, nodes, pod_ends, probes, scheduling, waiting

POD_RULES: tuple[Rule, ...] = tuple(
    rule for part in (scheduling, waiting, pod_ends, probes, deletion, nodes) for rule in part.BOOK.rules
)
"""All of them, in no particular order."""
