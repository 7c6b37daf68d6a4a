"""Filters of the build history, as `docker buildx history ls --filter` writes them: `status==error`, `ref~=abc`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyd_core.buildkit.proto.control_pb2 import BuildHistoryRecord
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import parse_duration

_TERM = re.compile(r"(\w+)\s*(==|!=|~=|>=|<=|>|<)\s*(.*)")
_NS_PER_S = 1_000_000_000


def _status(record: BuildHistoryRecord) -> str:
    if not record.HasField("CompletedAt"):
        return "running"
    if not record.HasField("error"):
        return "completed"
    return "canceled" if record.error.code == 1 else "error"


def _duration_ns(record: BuildHistoryRecord) -> int:
    if not record.HasField("CompletedAt"):
        return 0
    return record.CompletedAt.ToNanoseconds() - record.CreatedAt.ToNanoseconds()


_TEXTS: dict[str, Callable[[BuildHistoryRecord], str]] = {
    "ref": lambda record: record.Ref,
    "status": _status,
    "repository": lambda record: record.FrontendAttrs.get("vcs:source", ""),
    "target": lambda record: record.FrontendAttrs.get("target", ""),
}


@dataclass(frozen=True)
class HistoryFilter:
    """Conditions of which all must hold; in each, one of several alternatives."""

    conditions: tuple[tuple[Callable[[BuildHistoryRecord], bool], ...], ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> HistoryFilter:
        """Parse filters: each text has terms that are separated by commas, of which one must hold.

        Raises:
            InvalidInput: A term isn't one.
        """
        return cls(tuple(tuple(_term(term.strip()) for term in text.split(",")) for text in texts if text))

    def holds(self, record: BuildHistoryRecord) -> bool:
        """Return whether a record is selected."""
        return all(any(term(record) for term in terms) for terms in self.conditions)


def _term(text: str) -> Callable[[BuildHistoryRecord], bool]:
    match = _TERM.fullmatch(text)
    if match is None:
        raise InvalidInput(f"invalid filter {text[:80]!r}", hint="FIELD==VALUE, for example status==error")
    field, operator, value = match[1], match[2], match[3].strip().strip("\"'")
    if field in _TEXTS:
        read = _TEXTS[field]
        if operator == "==":
            return lambda record: read(record) == value
        if operator == "!=":
            return lambda record: read(record) != value
        if operator == "~=":
            return lambda record: value in read(record)
    if field == "duration" and operator in {">", "<", ">=", "<="}:
        limit_ns = parse_duration(value)
        if operator.startswith(">"):
            return lambda record: _duration_ns(record) >= limit_ns
        return lambda record: _duration_ns(record) <= limit_ns
    raise InvalidInput(
        f"invalid filter {text[:80]!r}: no such field or operator", hint=", ".join((*_TEXTS, "duration"))
    )
