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
    for wanted in selection.get("matchExpressions") or []:
        values = ",".join(wanted.get("values") or [])
        verbs = {"In": f"{wanted['key']} in ({values})", "NotIn": f"{wanted['key']} notin ({values})"}
        terms.append(
            verbs.get(wanted["operator"], ("!" if wanted["operator"] == "DoesNotExist" else "") + wanted["key"])
        )
    return ",".join(terms)


def _label_tests(text: str) -> list[Test]:
    tests: list[Test] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None or match.end() == at:
            raise ValueError(f"unable to parse requirement: {text[at:]!r}")
        at = match.end()
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
        wanted = match["verb"] == "in"
        return lambda document: (label(document, match["set"]) in values) is wanted
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
        found: Any = document
        for step in path.split("."):
            found = found.get(step, "") if isinstance(found, dict) else ""
        return str(found).lower() if isinstance(found, bool) else str(found)

    return lambda document: (read(document) == value) is equal
