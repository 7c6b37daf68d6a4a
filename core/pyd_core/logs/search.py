"""Search in a growing log: matching lines, and the position among them."""

from __future__ import annotations

from pyd_core.logs.filters import FilteredView
from pyd_core.logs.line_index import LineIndex
from pyd_core.logs.pattern import LogPattern


class Search(LineIndex):
    """The numbers of lines that pass the filters and match a pattern.

    Raises:
        InvalidInput: The pattern isn't a valid regular expression.
    """

    def __init__(self, pattern: LogPattern, lines: FilteredView) -> None:
        super().__init__(pattern.test, lines)
        self.pattern = pattern
