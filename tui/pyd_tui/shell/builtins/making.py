"""Progress of building a toolbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pyd_tui.console.prompts import ProgressReporter

T = TypeVar("T")


def with_progress(work: Callable[[Callable[[str, int, int], None]], T]) -> T:
    """Do slow work, and show its progress."""
    reporter = ProgressReporter()
    try:
        return work(reporter)
    finally:
        reporter.stop()
