"""Fields of structured log lines (JSON objects and logfmt), detected line by line."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.logs.levels import LogLevel, level_in_text, parse_level
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import Test, plain

MAX_LINE_BYTES = 256 * 1024
"""Longer lines aren't parsed."""

_LEVELS = ("level", "lvl", "severity", "loglevel", "log.level", "@level", "s")
_TIMES = ("time", "ts", "timestamp", "@timestamp", "t", "date", "datetime")
_MESSAGES = ("msg", "message", "@message", "event", "text", "body")

_PAIR = re.compile(r'(?<!\S)([A-Za-z_@][\w.@/-]*+)=("(?:[^"\\]|\\.)*"|[^\s"=]*)(?=\s|$)')
"""It only matches at the start of a word, so that a line of one long word takes no longer than others."""
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFields:
    """The fields of a line, all untrusted."""

    kind: Literal["json", "logfmt"]
    level: LogLevel | None
    level_word: str
    """As the line has it."""
    time: str
    """As the line has it."""
    message: str
    fields: Mapping[str, str]
    """All other fields; nested ones as `outer.inner`, values that aren't strings as JSON."""

    def get(self, name: str) -> str | None:
        """Return a field by name, including level, time and message."""
        if name in self.fields:
            return self.fields[name]
        own = {"level": self.level_word, "time": self.time, "message": self.message, "msg": self.message}
        return own.get(name) or None


def parse_fields(data: bytes) -> LogFields | None:
    """Parse a line; None for plain text.

    A line is logfmt if it consists of at least two pairs and nothing else.
    """
    if len(data) > MAX_LINE_BYTES:
        return None
    data = plain(data).strip()
    if data[:1] == b"{" and data[-1:] == b"}":
        try:
            fields: dict[str, str] = {}
            _flatten(msgspec.json.decode(data), "", fields, 4)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
        return _build_fields("json", fields)
    if b"=" in data:
        return _logfmt(data.decode("utf-8", "replace"))
    return None


def level_of(data: bytes) -> LogLevel | None:
    """Return a line's level, from its field or its text."""
    if data[:1] == b"{" or b"=" in data:
        fields = parse_fields(data)
        if fields is not None:
            return fields.level
    return level_in_text(plain(data))


def _logfmt(text: str) -> LogFields | None:
    if _PAIR.match(text) is None:
        return None
    fields: dict[str, str] = {}
    end = 0
    for match in _PAIR.finditer(text):
        if text[end : match.start()].strip():
            return None
        value = match[2]
        fields[match[1]] = _ESCAPE.sub(r"\1", value[1:-1]) if value[:1] == '"' else value
        end = match.end()
    if len(fields) < 2 or text[end:].strip():
        return None
    return _build_fields("logfmt", fields)


def _flatten(value: object, name: str, into: dict[str, str], deep: int) -> None:
    if isinstance(value, dict) and deep and (value or not name):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else key, into, deep - 1)
    elif isinstance(value, str):
        into[name] = value
    else:
        into[name] = msgspec.json.encode(value).decode("utf-8", "replace")


def _build_fields(kind: Literal["json", "logfmt"], fields: dict[str, str]) -> LogFields:
    def take(names: tuple[str, ...]) -> str:
        for name in names:
            if name in fields:
                return fields.pop(name)
        return ""

    word = take(_LEVELS)
    return LogFields(
        kind=kind,
        level=parse_level(word),
        level_word=word,
        time=take(_TIMES),
        message=take(_MESSAGES),
        fields=fields,
    )


_Compare = Callable[[float, float], bool]

_ORDER: dict[str, _Compare] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_TEST = re.compile(r"([A-Za-z_@][\w.@-]*)(>=|<=|!=|=|>|<|:)(?!//)(\S+)")


@dataclass(frozen=True)
class FieldTest:
    """A comparison of a field, such as `level>=warn`, `status:5..`, `user=anna`, `took>1.5`.

    `=` and `!=` compare the full value, `:` takes a regular expression that must match all of it, the others compare
    numbers or levels. A line without the field fails, even with `!=`.
    """

    name: str
    sign: str
    value: str

    @property
    def text(self) -> str:
        """The comparison as the user writes it."""
        return f"{self.name}{self.sign}{self.value}"

    def compile(self) -> Test:
        """Return the test of a line.

        Raises:
            InvalidInput: The value isn't a level, number or expression.
        """
        level_bound = parse_level(self.value) if self.name == "level" else None
        if self.name == "level" and self.sign != ":":
            if level_bound is None:
                raise InvalidInput(f"no level: {self.value}", hint="trace, debug, info, warn, error, fatal")
            compare: _Compare = _ORDER.get(self.sign, operator.ne if self.sign == "!=" else operator.eq)

            def by_level(line: LogLine) -> bool:
                level = level_of(line.data)
                return level is not None and compare(level, level_bound)

            return by_level
        accepts = self._value_test()

        def by_field(line: LogLine) -> bool:
            fields = parse_fields(line.data)
            value = fields.get(self.name) if fields is not None else None
            return value is not None and accepts(value)

        return by_field

    def _value_test(self) -> Callable[[str], bool]:
        if self.sign == "=":
            return lambda value: value == self.value
        if self.sign == "!=":
            return lambda value: value != self.value
        if self.sign == ":":
            try:
                fullmatch = re.compile(self.value, re.IGNORECASE).fullmatch
            except re.error as error:
                raise InvalidInput(f"not a regular expression: {error}") from error
            return lambda value: fullmatch(value) is not None
        compare = _ORDER[self.sign]
        try:
            bound = float(self.value)
        except ValueError as error:
            raise InvalidInput(f"not a number: {self.value}") from error

        def by_number(value: str) -> bool:
            try:
                return compare(float(value), bound)
            except ValueError:
                return False

        return by_number


def parse_field_tests(text: str) -> tuple[FieldTest, ...]:
    """Parse comparisons separated by spaces; empty for any other text."""
    matches = [_TEST.fullmatch(word) for word in text.split()]
    return tuple(FieldTest(match[1], match[2], match[3]) for match in matches if match) if all(matches) else ()
