"""The book of rules, and running them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.checks.finding import Finding, Fix, Severity
from pyd_core.dockerfile.span import LineSpan
from pyd_core.errors import DockerfileError
from pyd_core.gosyntax.booleans import BOOLS

_URL = "https://docs.docker.com/go/dockerfile/rule/"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Remark of a rule's function, before the rule's own facts are added."""

    span: LineSpan
    message: str
    hint: str = ""
    fix: Fix | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Rule."""

    name: str
    description: str
    severity: Severity
    url: str
    is_experimental: bool
    remarks: Callable[[CheckCase], Iterable[Remark]]


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of checks: `skip=A,B;error=true;experimental=C` in a `check` directive."""

    skip: frozenset[str] = frozenset()
    """Rules that are left out, in lower case; `all` is every rule."""
    experimental: frozenset[str] = frozenset()
    """Experimental rules to run, in lower case; `all` is every one."""
    is_error: bool = False
    """Whether a build fails if there are warnings."""
    with_advice: bool = True


class RuleBook:
    """Rules by their names."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def rule(
        self, name: str, description: str, *, severity: Severity = "warning", is_experimental: bool = False
    ) -> Callable[[Callable[[CheckCase], Iterable[Remark]]], Callable[[CheckCase], Iterable[Remark]]]:
        """Declare a function as the rule `name`."""

        def declare(function: Callable[[CheckCase], Iterable[Remark]]) -> Callable[[CheckCase], Iterable[Remark]]:
            slug = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
            self.rules[name] = Rule(
                name=name, description=description, severity=severity, is_experimental=is_experimental,
                url=f"{_URL}{slug}/" if severity == "warning" else "", remarks=function,
            )  # fmt: skip
            return function

        return declare


BOOK = RuleBook()


def run_checks(case: CheckCase, options: CheckOptions) -> list[Finding]:
    """Return the findings of all rules that the options select, by lines."""
    _load_rules()
    findings = [
        Finding(
            rule=rule.name, severity=rule.severity, message=remark.message, span=remark.span,
            description=rule.description, url=rule.url, hint=remark.hint, fix=remark.fix,
        )
        for rule in BOOK.rules.values()
        if _is_selected(rule, options)
        for remark in rule.remarks(case)
    ]  # fmt: skip
    skipped = dict(_skipped_by_comments(case))
    kept = {finding: None for finding in findings if not _names(finding.rule, skipped.get(finding.span.start))}
    return sorted(kept, key=lambda finding: (finding.span, finding.rule, finding.message))


def known_rules() -> list[Rule]:
    """Return all rules."""
    _load_rules()
    return list(BOOK.rules.values())


def parse_check_options(text: str) -> CheckOptions:
    """Parse the value of a `check` directive.

    Raises:
        DockerfileError: A key is unknown, or a value is not allowed.
    """
    values: dict[str, str] = {}
    for field in text.split(";") if text else ():
        name, equals, value = field.strip().partition("=")
        if not equals or name.strip().lower() not in {"skip", "error", "experimental"}:
            raise DockerfileError(
                f"failed to parse check options: invalid check option {field.strip()[:80]!r}",
                hint="# check=skip=RULE,RULE;error=true",
            )
        values[name.strip().lower()] = value.strip()
    error = values.get("error", "false")
    if error not in BOOLS:
        raise DockerfileError(f"failed to parse check options: failed to parse error as a boolean: {error[:40]!r}")
    return CheckOptions(
        skip=_rule_names(values.get("skip", "")), experimental=_rule_names(values.get("experimental", "")),
        is_error=BOOLS[error],
    )  # fmt: skip


def _rule_names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _names(rule: str, names: frozenset[str] | None) -> bool:
    return names is not None and ("all" in names or rule.lower() in names)


def _is_selected(rule: Rule, options: CheckOptions) -> bool:
    if _names(rule.name, options.skip) or (rule.severity == "advice" and not options.with_advice):
        return False
    return not rule.is_experimental or _names(rule.name, options.experimental)


def _skipped_by_comments(case: CheckCase) -> Iterator[tuple[int, frozenset[str]]]:
    """Yield lines of instructions with a comment `# check=skip=RULE` above them, and the rules."""
    for node in case.tree.instructions:
        for comment in node.comments:
            name, equals, value = comment.partition("=")
            if equals and name.strip().lower() == "check":
                try:
                    yield node.span.start, parse_check_options(value).skip
                except DockerfileError:
                    continue


def _load_rules() -> None:
    """Import the modules that declare rules."""
    from pyd_core.dockerfile.checks import (  # noqa: F401, PLC0415 - importing them declares the rules
        advice,
        argument_rules,
        command_rules,
        form_rules,
        stage_rules,
        variable_rules,
    )
