"""Showing how the making of a toolbox goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pyd_tui.console.prompts import ProgressReporter

T = TypeVar("T")


def told(work: Callable[[Callable[[str, int, int], None]], T]) -> T:
    """Do work that takes its time, and show how it goes."""
    making = ProgressReporter()
    try:
        return work(making)
    finally:
        making.stop()
