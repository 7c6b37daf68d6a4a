"""Rules about the end of pods and their containers: evictions, deadlines, out-of-memory kills."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyd_core.triage.evidence import Case, Item
from pyd_core.triage.pods.facts import PodFacts, event_item
from pyd_core.triage.rule import Conclusion, RuleBook

BOOK = RuleBook()

KILLED = 137
MAX_REASON_LENGTH = 500
"""Characters kept of a pod's message."""
STOP_WINDOW_NS = 5 * 10**9
"""Maximum time by which an event may be stamped after the end that it led to."""


def _failed(case: Case, *reasons: str) -> tuple[PodFacts, str] | None:
    """Return the message of a pod that ended for one of these reasons."""
    facts = case.pod
    if facts is None or not facts.finished or facts.pod.status.reason not in reasons:
        return None
    return facts, facts.pod.status.message[:MAX_REASON_LENGTH].strip()


def _status_item(facts: PodFacts) -> Item:
    status = facts.pod.status
    return facts.item(f"{status.phase}, {status.reason}: {status.message.strip()}")


def _by_status(cause: str, reasons: tuple[str, ...], pattern: str, summary: str) -> Callable[[Case], Conclusion | None]:
    def test(case: Case) -> Conclusion | None:
        failure = _failed(case, *reasons)
        if failure is None or not re.search(pattern, failure[1]):
            return None
        facts, message = failure
        events = [event_item(event) for event in facts.events_of("Evicted", "Preempting", "DeadlineExceeded")]
        return Conclusion(
            cause=cause,
            confidence=0.97,
            evidence=(_status_item(facts), *events[:1]),
            summary=f"{summary}: {message}" if message else summary,
            reason=message[:160] or summary,
        )

    return test


_LIMIT = r"exceeds the limit|exceeds the total limit|exceeded its local ephemeral storage limit"
_PRESSURE = r"low on resource|The node had condition"

for _cause, _reasons, _pattern, _summary, _says in (
    (
        "evicted-storage-limit",
        ("Evicted",),
        _LIMIT,
        "was evicted",
        "Its pod was evicted, and the message names a limit of storage.",
    ),
    (
        "evicted-node-pressure",
        ("Evicted",),
        _PRESSURE,
        "was evicted",
        "Its pod was evicted, and the message names a resource of the node.",
    ),
    (
        "evicted",
        ("Evicted",),
        rf"^(?!.*(?:{_LIMIT}|{_PRESSURE}))",
        "was evicted",
        "Its pod was evicted for another reason.",
    ),
    (
        "deadline-exceeded",
        ("DeadlineExceeded",),
        "",
        "was stopped at its deadline",
        "Its pod failed with DeadlineExceeded.",
    ),
    (
        "node-shutdown",
        ("Terminated", "NodeShutdown", "Shutdown"),
        "",
        "ended with its node",
        "Its pod failed because its node shut down.",
    ),
    ("preempted", ("Preempting",), "", "was preempted", "Its pod failed with the reason Preempting."),
    (
        "node-refused-pod",
        (
            "OutOfcpu",
            "OutOfmemory",
            "OutOfpods",
            "OutOfephemeral-storage",
            "NodeAffinity",
            "NodePorts",
            "UnexpectedAdmissionError",
            "InvalidNodeInfo",
        ),
        "",
        "was refused by its node",
        "Its pod failed because the kubelet didn't admit it.",
    ),
):
    BOOK.rule(_cause, needs=("pod",), says=_says)(_by_status(_cause, _reasons, _pattern, _summary))


_DISRUPTIONS = {
    "preempted": ("PreemptionByScheduler", "is removed to make room for a pod of higher priority"),
    "taint-evicted": ("DeletionByTaintManager", "is removed because its node has a taint that it doesn't tolerate"),
    "drained": ("EvictionByEvictionAPI", "is evicted through the API, as when its node is drained"),
    "evicted-node-pressure": ("TerminationByKubelet", "is ended by its node"),
}


def _disrupted(cause: str, reason: str, summary: str) -> Callable[[Case], Conclusion | None]:
    def test(case: Case) -> Conclusion | None:
        facts = case.pod
        condition = facts.pod.condition("DisruptionTarget") if facts is not None else None
        if facts is None or condition is None or condition.status != "True" or condition.reason != reason:
            return None
        if facts.pod.status.reason:  # more specific
            return None
        return Conclusion(
            cause=cause,
            confidence=0.9,
            evidence=(facts.item(f"{reason}: {condition.message}", condition.changed_ns),),
            summary=summary,
            reason=condition.message[:160],
        )

    return test


for _cause, (_reason, _text) in _DISRUPTIONS.items():
    _says = f"Its pod's condition DisruptionTarget has the reason {_reason}."
    BOOK.rule(_cause, needs=("pod",), says=_says)(_disrupted(_cause, _reason, _text))


@BOOK.rule(
    "container-lost",
    needs=("pod",),
    says="Its last run ended with the reason Unknown or ContainerStatusUnknown: the exit code is the kubelet's own.",
)
def container_lost(case: Case) -> Conclusion | None:
    """Conclude that its node lost it."""
    facts = case.pod
    end = facts.ended if facts is not None else None
    if facts is None or end is None or end.reason not in {"Unknown", "ContainerStatusUnknown"}:
        return None
    return Conclusion(
        cause="container-lost",
        confidence=0.9,
        evidence=(facts.item(f"{end.reason}, exit code {end.exit_code}: {end.message}".removesuffix(": ")),),
        summary="was lost by its node, which was probably restarted; its exit code isn't known",
    )


@BOOK.rule(
    "oom-killed",
    needs=("pod",),
    says="Its last run ended with the reason OOMKilled, which the runtime reports, and code 137.",
)
def oom_killed(case: Case) -> Conclusion | None:
    """Conclude an out-of-memory kill from the runtime's report, never from the exit code only."""
    facts = case.pod
    end = facts.ended if facts is not None else None
    if facts is None or end is None or end.reason != "OOMKilled" or end.exit_code != KILLED:
        return None
    limit = facts.member.spec.resources.limits.get("memory")
    limited = f" at its limit of {limit}" if limit is not None else ""
    return Conclusion(
        cause="oom-killed",
        confidence=0.93,
        evidence=(facts.item(f"{end.reason}, exit code {end.exit_code}", case.run.ended_ns),),
        summary=f"ran out of memory{limited} and was killed by the kernel",
        reason=f"out of memory{limited}",
        advice=("pyd stats {name}", "pyd logs --tail 50 {name}"),
    )


@BOOK.rule(
    "oom-child",
    needs=("pod",),
    says="Its last run ended with the reason OOMKilled and another code than 137: the main process wasn't killed.",
)
def oom_child(case: Case) -> Conclusion | None:
    """Conclude an out-of-memory kill of a child of the main process."""
    facts = case.pod
    end = facts.ended if facts is not None else None
    if facts is None or end is None or end.reason != "OOMKilled" or end.exit_code == KILLED:
        return None
    return Conclusion(
        cause="oom-child",
        confidence=0.85,
        evidence=(facts.item(f"{end.reason}, exit code {end.exit_code}", case.run.ended_ns),),
        summary=f"lost a process to the kernel's out-of-memory killer; it then exited with code {end.exit_code}",
        reason="a child ran out of memory",
        advice=("pyd logs --tail 50 {name}",),
    )


@BOOK.rule(
    "stopped",
    needs=("pod", "pod events"),
    says="The kubelet reports that it was stopping it, shortly before its end, and no probe had failed.",
)
def stopped(case: Case) -> Conclusion | None:
    """Conclude that the kubelet stopped it on request."""
    facts, ended_ns = case.pod, case.run.ended_ns
    if facts is None or ended_ns is None or facts.ended is None or facts.pod.status.reason:
        return None
    if facts.ended.reason not in {"Completed", "Error"}:
        return None
    grace_ns = (facts.pod.spec.termination_grace_period_seconds or 30) * 10**9
    for event in facts.events_of("Killing"):
        before_ns = ended_ns - event.time_ns
        if event.message.startswith("Stopping container") and -STOP_WINDOW_NS <= before_ns <= grace_ns + STOP_WINDOW_NS:
            return Conclusion(
                cause="stopped",
                confidence=0.9,
                evidence=(event_item(event),),
                summary="was stopped by its node on request",
            )
    return None
