"""Rows of a log view."""

from __future__ import annotations

from typing import NamedTuple

from pyd_tui.dashboard.render.pieces import Cell


class DrawnRow(NamedTuple):
    """A row of the screen.

    Attributes:
        number: The number of its line.
        head: Time, container and level, which stay in place.
        body: The text.
        is_rule: Whether it is the rule above a day.
    """

    number: int
    head: Cell
    body: Cell
    is_rule: bool = False
