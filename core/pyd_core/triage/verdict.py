"""Choice of the verdict from the rules' conclusions."""

from __future__ import annotations

import msgspec

from pyd_core.model.base import format_time
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.evidence import Case, Item, UnavailableSource
from pyd_core.triage.rule import Conclusion, Rule
from pyd_core.triage.rules import RULES
from pyd_core.triage.timeline import timeline

UNREAD_FACTOR = 0.75
"""Reduces a conclusion's confidence for each source that it needs but that couldn't be read."""

MIN_KNOWN_SENDER = 0.5
"""The confidence below which the engine may have sent a fatal signal after all."""


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """An item of evidence in `--json` output."""

    source: str
    time: str | None
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict on a container, in the form of `--json`."""

    name: str
    cause: str
    confidence: float
    """0 to 1, two decimals."""
    summary: str
    reason: str = ""
    """The most specific part in a few words, for lists: `QUEUE_URL is not set`."""
    contributing: tuple[str, ...] = ()
    evidence: tuple[EvidenceLine, ...] = ()
    advice: tuple[str, ...] = ()
    unread: tuple[UnavailableSource, ...] = ()
    timeline: tuple[EvidenceLine, ...] = ()
    severity: str = "fine"
    """`fine`, `notice` or `broken`."""
    id: str = ""
    """The container's."""
    ended: str | None = None
    """The end of the judged run; None while it runs."""

    @property
    def broken(self) -> bool:
        """Whether something is wrong, rather than finished or stopped on purpose."""
        return self.severity == "broken"


def decide(case: Case, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """Apply the rules and return the best supported cause with contributing ones."""
    if case.pod is not None:
        from pyd_core.triage.rules.pods import POD_RULES  # noqa: PLC0415 - engines don't need them

        rules = (*rules, *POD_RULES)
    conclusions = [conclusion for rule in rules if (conclusion := _apply(rule, case)) is not None]
    conclusions.sort(key=lambda conclusion: (conclusion.about.rank, conclusion.confidence), reverse=True)
    if not conclusions:
        conclusions = [_unknown(case)]
    best = conclusions[0]
    seen = {best.cause}
    contributing: list[str] = []
    evidence = list(best.evidence)
    for other in conclusions[1:]:
        if other.cause in seen or not _contributes(other, best):
            continue
        seen.add(other.cause)
        contributing.append(other.cause)
        evidence += [item for item in other.evidence if item not in evidence]
    return Verdict(
        name=case.name,
        id=case.container.id,
        cause=best.cause,
        confidence=round(best.confidence, 2),
        summary=f"{case.name} {best.summary}{_lost_before(best, conclusions)}",
        reason=best.reason or best.summary,
        contributing=tuple(contributing),
        evidence=tuple(as_line(item) for item in evidence),
        advice=_advice(best, case),
        unread=tuple(case.unread),
        timeline=tuple(as_line(item) for item in timeline(case)),
        severity=_severity(best),
        ended=None if case.run.ended_ns is None else format_time(case.run.ended_ns),
    )


def _severity(best: Conclusion) -> str:
    """Return the severity; a kill whose sender isn't known may have been a user's, and is no defect then."""
    is_guess = best.cause == "killed-externally" and best.confidence < MIN_KNOWN_SENDER
    return "notice" if is_guess else best.about.severity


def _lost_before(best: Conclusion, held: list[Conclusion]) -> str:
    """Return an addition about an out-of-memory kill of a child before the run's end."""
    lost = next((other for other in held if other.cause == "oom-child"), None)
    if lost is None or best.about.family != "ending":
        return ""
    return f"; before that, it {lost.summary.partition(';')[0]}"


def _apply(rule: Rule, case: Case) -> Conclusion | None:
    conclusion = rule.test(case)
    if conclusion is None:
        return None
    lost = case.missing_sources.intersection(rule.needs)
    return msgspec.structs.replace(conclusion, confidence=conclusion.confidence * UNREAD_FACTOR ** len(lost))


_GENERIC = frozenset(
    {"clean-exit", "app-error", "usage-error", "running-ok", "never-started", "pod-starting", "unknown"}
)


def _contributes(other: Conclusion, best: Conclusion) -> bool:
    """Return whether a cause adds to the best one: generic ones don't, and a run has only one ending."""
    if other.cause in _GENERIC:
        return other.cause == "app-error" and best.cause == "restart-loop"
    if best.about.family == "pods" and other.about.family == "ending":
        return False  # how the program exited says nothing more about a pod's end
    return not (other.about.family == "ending" and best.about.family == "ending")


_ENGINE_VERBS = frozenset({"start", "stop", "kill", "update", "unpause"})
"""Commands that clusters don't support."""


def _advice(best: Conclusion, case: Case) -> tuple[str, ...]:
    import shlex  # noqa: PLC0415 - costs a millisecond at start, and only a verdict's advice needs it

    name = shlex.quote(case.name)
    usable = [text for text in best.advice if case.pod is None or text.split()[:2][-1] not in _ENGINE_VERBS]
    commands = tuple(text.replace("{name}", name) for text in usable)
    return (*commands, CAUSES[best.cause].remedy) if best.about.severity != "fine" or commands else commands


def _unknown(case: Case) -> Conclusion:
    state = case.container.state
    item = Item(source="inspect", text=f"state {state.status}, exit code {state.exit_code}", time_ns=state.finished_ns)
    if state.error:
        error_item = Item(source="inspect", text=f"the engine's error: {state.error}")
        summary = "couldn't be started; see the engine's message"
        return Conclusion(cause="unknown", confidence=0.3, evidence=(error_item, item), summary=summary)
    return Conclusion(
        cause="unknown", confidence=0.2, evidence=(item,), summary="ended, and the available evidence doesn't show why"
    )


def as_line(item: Item) -> EvidenceLine:
    """Return an item in the form of `--json`."""
    time = None if item.time_ns is None else format_time(item.time_ns)
    return EvidenceLine(source=item.source, time=time, text=item.text)
