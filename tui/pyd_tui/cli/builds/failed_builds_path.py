"""Path of the builds that failed, next to the history of deaths."""

from __future__ import annotations

from pathlib import Path

from pyd_core.watch.history_path import path_unless_off


def failed_builds_path() -> Path | None:
    """Return the directory; None where recording is off."""
    history = path_unless_off()
    return history.parent / "failed-builds" if history is not None else None
