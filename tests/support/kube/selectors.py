"""Label and field selectors, as clients write them in a query."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
Test = Callable[[Object], bool]

_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<missing>[\w./-]+)"
    r"|(?P<set>[\w./-]+)\s+(?P<verb>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|(?P<name>[\w./-]+)\s*(?:(?P<operator>==|=|!=)\s*(?P<value>[^,]*))?)\s*(?:,|$)"
)


def selector(labels: str, fields: str) -> Test:
    """Return the test that a label selector and a field selector make.

    Raises:
        ValueError: A selector cannot be read.
    """
    tests = [*_label_tests(labels), *_field_tests(fields)]
    return lambda document: all(test(document) for test in tests)


def label_selector(selection: Object) -> str:
    """Return the selector of an object, with `matchLabels` and `matchExpressions`, as a query has it."""
    terms = [f"{name}={value}" for name, value in sorted((selection.get("matchLabels") or {}).items())]
    for expected in selection.get("matchExpressions") or []:
        values = ",".join(expected.get("values") or [])
        verbs = {"In": f"{expected['key']} in ({values})", "NotIn": f"{expected['key']} notin ({values})"}
        terms.append(
            verbs.get(expected["operator"], ("!" if expected["operator"] == "DoesNotExist" else "") + expected["key"])
        )
    return ",".join(terms)


def _label_tests(text: str) -> list[Test]:
    tests: list[Test] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or match.end() == position:
            raise ValueError(f"unable to parse requirement: {text[position:]!r}")
        position = match.end()
        tests.append(_label_test(match))
    return tests


def _label_test(match: re.Match[str]) -> Test:
    def label(document: Object, name: str) -> str | None:
        value: str | None = (document["metadata"].get("labels") or {}).get(name)
        return value

    if match["absent"]:
        return lambda document: label(document, match["missing"]) is None
    if match["verb"]:
        values = {value.strip() for value in match["values"].split(",")}
        expected = match["verb"] == "in"
        return lambda document: (label(document, match["set"]) in values) is expected
    if match["operator"] is None:
        return lambda document: label(document, match["name"]) is not None
    return lambda document: (label(document, match["name"]) == match["value"].strip()) is (match["operator"] != "!=")


def _field_tests(text: str) -> list[Test]:
    tests: list[Test] = []
    for term in filter(None, text.split(",")):
        match = re.fullmatch(r"([\w./\[\]-]+?)(==|=|!=)(.*)", term)
        if match is None:
            raise ValueError(f"invalid selector: {term!r}; can't understand {term!r}")
        tests.append(_field_test(match[1], match[3], equal=match[2] != "!="))
    return tests


def _field_test(path: str, value: str, *, equal: bool) -> Test:
    def read(document: Object) -> str:
        field: Any = document
        for step in path.split("."):
            field = field.get(step, "") if isinstance(field, dict) else ""
        return str(field).lower() if isinstance(field, bool) else str(field)

    return lambda document: (read(document) == value) is equal
