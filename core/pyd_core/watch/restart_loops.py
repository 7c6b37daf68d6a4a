"""Restart loops in words, from a container's recorded deaths."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from pyd_core.triage.timeline import duration
from pyd_core.watch.history_store import Death

FEWEST = 3
WINDOW = 600
"""Seconds."""


def loop_in_words(deaths: Sequence[Death]) -> str:
    """Says `7 deaths in 10 min, each about 3.0 s after its start`; empty where they are no loop.

    Args:
        deaths: Of one container name, newest first. Deaths on request (`stopped`) don't count.
    """
    own = [death for death in deaths if death.verdict.severity != "fine" or death.verdict.cause == "clean-exit"]
    if not own:
        return ""
    newest = own[0].ended_ns
    close = [death for death in own if newest - death.ended_ns <= WINDOW * 10**9]
    if len(close) < FEWEST:
        return ""
    lives = [death.seconds for death in close if death.seconds is not None]
    span = (newest - close[-1].ended_ns) / 1e9
    each = f", each about {duration(median(lives))} after its start" if lives else ""
    return f"{len(close)} deaths in {duration(span)}{each}"
