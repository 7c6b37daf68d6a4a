"""Verdicts as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.sanitise import safe
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.codes import explain_code
from pyd_core.triage.verdict import EvidenceLine, Verdict

if TYPE_CHECKING:
    from pyd_core.triage.evidence import UnavailableSource
    from pyd_core.triage.scan import Sweep


def sureness(confidence: float) -> str:
    """Return a word for a confidence."""
    for least, word in ((0.99, "certain"), (0.9, "almost certain"), (0.75, "likely"), (0.5, "possible")):
        if confidence >= least:
            return word
    return "a guess"


def describe(verdict: Verdict) -> str:
    """Return a verdict with its timeline, evidence, advice, confidence and unavailable sources."""
    parts = [
        f"{safe(verdict.summary).rstrip('.')}.",
        f"cause: {verdict.cause} ({sureness(verdict.confidence)}, {verdict.confidence:.2f})",
    ]
    if verdict.contributing:
        parts.append(f"contributing: {', '.join(verdict.contributing)}")
    parts += _section("timeline", [_line(item, with_source=False) for item in verdict.timeline])
    parts += _section("evidence", [_line(item) for item in verdict.evidence])
    parts += _section("what to do", [safe(text) for text in verdict.advice])
    parts += _section("missing evidence", [safe(describe_gap(gap)) for gap in verdict.unread])
    return "\n".join(parts)


def describe_gap(gap: UnavailableSource) -> str:
    """Return why a source couldn't be read, and what it would show."""
    return f"{gap.source}: {gap.reason}; the {gap.source} would show {gap.would_tell}"


def brief(verdict: Verdict) -> str:
    """Return a verdict on one line, for lists and banners: `segfault: crashed with a segmentation fault`."""
    return safe(f"{verdict.cause}: {verdict.summary.removeprefix(verdict.name).strip()}")


def describe_cause(identity: str) -> str:
    """Return a cause's description, for `--explain`."""
    cause = CAUSES[identity]
    return f"{cause.id}: {cause.meaning}\nwhat to do: {cause.remedy}"


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _line(item: EvidenceLine, *, with_source: bool = True) -> str:
    clock = item.time[11:23] if item.time else ""
    source = f"[{safe(item.source)}] " if with_source else ""
    text = safe(item.text.replace("\n", " "))
    return f"{clock + '  ' if clock else ''}{source}{text}"


def describe_code(code: int) -> str:
    """Return an exit code's description, for `--explain`."""
    code_info = explain_code(code)
    warning = "\nit proves nothing on its own: programs use it for other errors too" if code_info.several else ""
    return f"{code}: {code_info.title}\n{code_info.meaning}{warning}"


def describe_sweep(sweep: Sweep) -> str:
    """Return the issues of a scan: broken containers first, then those about to break, then advice."""
    parts: list[str] = []
    titles = {"broken": "broken", "soon": "about to break", "advice": "worth a change"}
    for level, title in titles.items():
        concerns = [concern for concern in sweep.concerns if concern.level == level]
        if not concerns:
            continue
        parts.append(f"{title}:")
        for concern in concerns:
            alone = len(concern.subjects) == 1 and concern.text.startswith(concern.subjects[0])
            who = "" if alone else f"{_some(concern.subjects)} "
            parts.append(f"  {concern.kind}: {safe(who)}{safe(concern.text)}")
            parts += [f"      {safe(text)}" for text in concern.advice]
    if not any(concern.level == "broken" for concern in sweep.concerns):
        parts.append(f"nothing is broken ({sweep.containers} containers checked)")
    parts += _section("unavailable", [f"{safe(gap.source)}: {safe(gap.reason)}" for gap in sweep.unread])
    return "\n".join(parts)


def _some(names: tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
