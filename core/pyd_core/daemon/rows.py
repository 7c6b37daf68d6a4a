"""Lists of objects: a damaged object never breaks the whole list."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from pyd_core.errors import PydError

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)


def show_rows(things: Iterable[T], show: Callable[[T], R]) -> list[R]:
    """Return the lines of objects; a damaged one is left out and logged."""
    rows: list[R] = []
    for thing in things:
        try:
            rows.append(show(thing))
        except (PydError, OSError, LookupError, ValueError) as error:
            name = getattr(thing, "name", "") or getattr(thing, "id", "")
            log.warning("%s is left out of a list: %s: %s", name or thing, type(error).__name__, error)
    return rows
