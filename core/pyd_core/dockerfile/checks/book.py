"""The book of rules: each is a function that yields remarks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.checks.finding import Fix, Severity
from pyd_core.dockerfile.span import LineSpan

_URL = "https://docs.docker.com/go/dockerfile/rule/"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Remark of a rule's function, before the rule's own facts are added."""

    span: LineSpan
    message: str
    hint: str = ""
    fix: Fix | None = None


class LintRule(msgspec.Struct, frozen=True, kw_only=True):
    """LintRule."""

    name: str
    description: str
    severity: Severity
    url: str
    is_experimental: bool
    remarks: Callable[[CheckCase], Iterable[Remark]]


class LintRuleBook:
    """Rules by their names."""

    def __init__(self) -> None:
        self.rules: dict[str, LintRule] = {}

    def rule(
        self, name: str, description: str, *, severity: Severity = "warning", is_experimental: bool = False
    ) -> Callable[[Callable[[CheckCase], Iterable[Remark]]], Callable[[CheckCase], Iterable[Remark]]]:
        """Declare a function as the rule `name`."""

        def declare(function: Callable[[CheckCase], Iterable[Remark]]) -> Callable[[CheckCase], Iterable[Remark]]:
            slug = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
            self.rules[name] = LintRule(
                name=name, description=description, severity=severity, is_experimental=is_experimental,
                url=f"{_URL}{slug}/" if severity == "warning" else "", remarks=function,
            )  # fmt: skip
            return function

        return declare


BOOK = LintRuleBook()
