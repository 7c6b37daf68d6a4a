"""Rows of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """Rows of the table.

    Attributes:
        name: What was measured.
        ours: The figure for pyd.
        unit: Of both figures.
        peer: The other program, empty without one.
        theirs: Its figure.
        limit: The most `ours` may be, or None.
        limit_ratio: The most `ours / theirs` may be, or None.
        note: What else is worth knowing.
    """

    name: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    limit: float | None = None
    limit_ratio: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def kept(self) -> bool | None:
        """Whether it is within its budget; None without one."""
        if self.limit is None and self.limit_ratio is None:
            return None
        within = self.limit is None or self.ours <= self.limit
        return within and (self.limit_ratio is None or self.ratio is None or self.ratio <= self.limit_ratio)
