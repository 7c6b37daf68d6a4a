"""Rules about probes of pods."""

from __future__ import annotations

import re

from pyd_core.humanize import duration
from pyd_core.kube.model.event import ClusterEvent
from pyd_core.triage.evidence import Case, Item
from pyd_core.triage.pods.facts import PodFacts, event_item
from pyd_core.triage.rule import Conclusion, RuleBook
from pyd_core.triage.rules.pods.pod_ends import STOP_WINDOW_NS

BOOK = RuleBook()

MAX_ANSWER_LENGTH = 200
"""Characters of a probe's answer in a sentence."""
_STATUS = re.compile(r"HTTP probe failed with statuscode: (?P<code>\d{3})")


def _answer(facts: PodFacts, kind: str) -> tuple[str, ClusterEvent] | None:
    """Return what the last failed probe of a kind answered, with its event."""
    for event in facts.events_of("Unhealthy", "ProbeWarning"):
        head, _, answer = event.message.partition(":")
        if head.startswith(kind) and "probe" in head:
            status = _STATUS.fullmatch(answer.strip())
            return f"HTTP {status['code']}" if status else answer.strip()[:MAX_ANSWER_LENGTH] or head, event
    return None


def _killed(case: Case, kind: str, cause: str) -> Conclusion | None:
    """Conclude that the kubelet killed the container because a probe failed: its own event shortly before the end."""
    facts, ended_ns = case.pod, case.run.ended_ns
    if facts is None or facts.ended is None or ended_ns is None or facts.ended.reason == "OOMKilled":
        return None
    grace_ns = (facts.pod.spec.termination_grace_period_seconds or 30) * 10**9
    for event in facts.events_of("Killing"):
        before_ns = ended_ns - event.time_ns
        if f"failed {kind} probe" not in event.message or not (
            -STOP_WINDOW_NS <= before_ns <= grace_ns + STOP_WINDOW_NS
        ):
            continue
        answered = _answer(facts, kind.capitalize())
        with_answer = f": {answered[0]}" if answered is not None else ""
        items = [event_item(event), *([] if answered is None else [event_item(answered[1])])]
        return Conclusion(
            cause=cause,
            confidence=0.95,
            evidence=tuple(items),
            summary=f"was killed by its node because its {kind} probe failed{with_answer}",
            reason=f"{kind} probe failed{with_answer}",
            advice=("pyd logs --tail 100 {name}",),
        )
    return None


@BOOK.rule(
    "liveness-failed",
    needs=("pod", "pod events"),
    says="The kubelet reports that it killed it for its liveness probe, shortly before the end of the last run.",
)
def liveness_failed(case: Case) -> Conclusion | None:
    """Conclude that the liveness probe ended it."""
    return _killed(case, "liveness", "liveness-failed")


@BOOK.rule(
    "startup-probe-failed",
    needs=("pod", "pod events"),
    says="The kubelet reports that it killed it for its startup probe, shortly before the end of the last run.",
)
def startup_probe_failed(case: Case) -> Conclusion | None:
    """Conclude that the startup probe ended it."""
    return _killed(case, "startup", "startup-probe-failed")


@BOOK.rule("readiness-failed", needs=("pod", "pod events"), says="It is running, was started, and isn't ready.")
def readiness_failed(case: Case) -> Conclusion | None:
    """Conclude that the readiness probe fails."""
    facts = case.pod
    status = facts.status if facts is not None else None
    if facts is None or status is None or status.state.running is None or status.ready or status.started is False:
        return None
    if facts.member.spec.readiness_probe is None or facts.pod.metadata.deletion_timestamp is not None:
        return None
    answered = _answer(facts, "Readiness")
    ready = facts.pod.condition("ContainersReady")
    since_ns = ready.changed_ns if ready is not None else None
    since = f" for {duration(max(0, case.now_ns - since_ns) / 1e9)}" if since_ns is not None else ""
    with_answer = f": {answered[0]}" if answered is not None else ""
    items: list[Item] = [] if answered is None else [event_item(answered[1])]
    return Conclusion(
        cause="readiness-failed",
        confidence=0.95 if answered is not None else 0.8,
        evidence=(*items, facts.item("running, not ready", since_ns)),
        summary=f"hasn't been ready{since}, so that services send it nothing: its readiness probe failed{with_answer}",
        reason=f"readiness probe failed{with_answer}",
        advice=("pyd logs --tail 50 {name}", "pyd debug {name}"),
    )


@BOOK.rule("readiness-gate-closed", needs=("pod",), says="Its containers are ready, but its pod has a closed gate.")
def readiness_gate_closed(case: Case) -> Conclusion | None:
    """Conclude that a readiness gate keeps the pod from being ready."""
    facts = case.pod
    ready = facts.pod.condition("Ready") if facts is not None else None
    if facts is None or ready is None or ready.reason != "ReadinessGatesNotReady":
        return None
    return Conclusion(
        cause="readiness-gate-closed",
        confidence=0.95,
        evidence=(facts.item(f"{ready.reason}: {ready.message}", ready.changed_ns),),
        summary=f"isn't ready, though its containers are: {ready.message[:MAX_ANSWER_LENGTH]}",
        reason="a readiness gate isn't ready",
    )
