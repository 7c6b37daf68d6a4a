"""Descriptions of restart loops, from a container's recorded deaths."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from pyd_core.humanize import duration
from pyd_core.watch.history_store import Death

MIN_DEATHS = 3
WINDOW_S = 600
"""Seconds."""


def describe_loop(deaths: Sequence[Death]) -> str:
    """Return `7 deaths in 10 min, each about 3.0 s after its start`; empty without a loop.

    Args:
        deaths: Of one container name, newest first. Deaths on request (`stopped`) don't count.
    """
    unrequested = [death for death in deaths if death.verdict.severity != "fine" or death.verdict.cause == "clean-exit"]
    if not unrequested:
        return ""
    newest = unrequested[0].ended_ns
    recent = [death for death in unrequested if newest - death.ended_ns <= WINDOW_S * 10**9]
    if len(recent) < MIN_DEATHS:
        return ""
    lifetimes = [death.seconds for death in recent if death.seconds is not None]
    span = (newest - recent[-1].ended_ns) / 1e9
    rhythm = f", each about {duration(median(lifetimes))} after its start" if lifetimes else ""
    return f"{len(recent)} deaths in {duration(span)}{rhythm}"
