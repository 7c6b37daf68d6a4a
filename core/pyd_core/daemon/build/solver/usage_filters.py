"""Filters of cache records, as BuildKit's clients write them: `type==regular,inuse==false`, `id~=^abc`, `shared`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyd_core.buildkit.proto import control_pb2
from pyd_core.errors import InvalidInput
from pyd_core.regex import compile_pattern

_CONDITION = re.compile(r"([A-Za-z]+)(?:(==|!=|~=)(.*))?", re.DOTALL)
_TEXTS = {"id": "ID", "type": "RecordType", "description": "Description", "parents": "Parent"}
_FLAGS = {"inuse": "InUse", "mutable": "Mutable", "shared": "Shared"}
MAX_FILTERS = 100


class UsageFilter:
    """Conditions that must all hold.

    Raises:
        InvalidInput: One is malformed or unknown.
    """

    def __init__(self, filters: Sequence[str]) -> None:
        conditions = [part.strip() for text in filters for part in text.split(",") if part.strip()]
        if len(conditions) > MAX_FILTERS:
            raise InvalidInput(f"more than {MAX_FILTERS} filters")
        self._conditions = [_parse(text) for text in conditions]

    def matches(self, record: control_pb2.UsageRecord) -> bool:
        """Return whether a record has all that the filters ask for."""
        return all(_holds(record, *condition) for condition in self._conditions)


def _parse(text: str) -> tuple[str, str, str]:
    match = _CONDITION.fullmatch(text)
    name = match[1].lower() if match is not None else ""
    if match is None or name not in {*_TEXTS, *_FLAGS, "private", "immutable"}:
        raise InvalidInput(
            f"invalid filter {text[:80]!r}", hint="filter by id, type, description, inuse, shared, mutable"
        )
    operator, value = match[2] or "", (match[3] or "").strip('"')
    if operator == "~=":
        compile_pattern(value)
    return name, operator, value


def _holds(record: control_pb2.UsageRecord, name: str, operator: str, value: str) -> bool:
    if name in _TEXTS:
        actual: str = getattr(record, _TEXTS[name])
        if operator == "~=":
            return compile_pattern(value).search(actual) is not None
        return (actual == value) == (operator != "!=") if operator else bool(actual)
    flag: bool
    if name in {"private", "immutable"}:
        flag = not (record.Shared if name == "private" else record.Mutable)
    else:
        flag = getattr(record, _FLAGS[name])
    if not operator:
        return flag
    return (flag == (value.lower() in {"true", "1"})) == (operator != "!=")
