"""Search patterns for log lines: texts or regular expressions, case-sensitive or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from pyd_core.errors import InvalidInput
from pyd_core.logs.line import LogLine

_SGR = re.compile(rb"\x1b\[[0-9;:]*m")

Test = Callable[[LogLine], bool]


def plain(data: bytes) -> bytes:
    """Return a line without colours, as it is searched: a match may change colour inside."""
    return _SGR.sub(b"", data) if b"\x1b" in data else data


@dataclass(frozen=True)
class LogPattern:
    """A text or a regular expression (Python's `re`).

    Raises:
        InvalidInput: On use, if the expression is invalid.
    """

    text: str
    regex: bool = False
    case_sensitive: bool = False
    """Upper and lower case differ."""

    def next_mode(self) -> LogPattern:
        """Return the pattern in the next mode: literal, literal with case, expression, expression with case."""
        if not self.case_sensitive:
            return replace(self, case_sensitive=True)
        return replace(self, case_sensitive=False, regex=not self.regex)

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """The compiled expression, also of a literal text."""
        try:
            return re.compile(
                self.text if self.regex else re.escape(self.text), 0 if self.case_sensitive else re.IGNORECASE
            )
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidInput(
                f"not a regular expression: {error}", hint="ctrl-r searches for the literal text"
            ) from error

    @cached_property
    def test(self) -> Test:
        """Whether a line has it."""
        if self.regex or not self.text.isascii():
            search = self.expression.search
            return lambda line: search(plain(line.data).decode("utf-8", "replace")) is not None
        if self.case_sensitive:
            exact = self.text.encode()
            return lambda line: exact in plain(line.data)
        lower = self.text.lower().encode()
        return lambda line: lower in plain(line.data).lower()

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the positions of matches in a text, without empty ones."""
        return [match.span() for match in self.expression.finditer(text) if match.end() > match.start()]
