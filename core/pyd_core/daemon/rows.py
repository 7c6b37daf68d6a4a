"""Lists of what the engine has: one thing that can't be shown never takes the others with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from pyd_core.errors import PydError

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)


def shown(things: Iterable[T], show: Callable[[T], R]) -> list[R]:
    """Returns how each is shown; one that is damaged is left out, and the log says so."""
    rows: list[R] = []
    for thing in things:
        try:
            rows.append(show(thing))
        except (PydError, OSError, LookupError, ValueError) as error:
            name = getattr(thing, "name", "") or getattr(thing, "id", "")
            log.warning("%s is left out of a list: %s: %s", name or thing, type(error).__name__, error)
    return rows
