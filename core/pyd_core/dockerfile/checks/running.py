"""Running checks: which rules a Dockerfile and its user select, and their findings."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pyd_core.dockerfile.checks import (  # noqa: F401 - importing them declares the rules
    advice,
    argument_rules,
    command_rules,
    form_rules,
    stage_rules,
    variable_rules,
)
from pyd_core.dockerfile.checks.book import BOOK, LintRule
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.errors import DockerfileError
from pyd_core.gosyntax.booleans import BOOLS


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of checks: `skip=A,B;error=true;experimental=C` in a `check` directive."""

    skip: frozenset[str] = frozenset()
    """Rules that are left out, in lower case; `all` is every rule."""
    experimental: frozenset[str] = frozenset()
    """Experimental rules to run, in lower case; `all` is every one."""
    is_error: bool = False
    """Whether a build fails if there are warnings."""
    with_advice: bool = True


def run_checks(case: CheckCase, options: CheckOptions) -> list[Finding]:
    """Return the findings of all rules that the options select, by lines."""
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


def known_rules() -> list[LintRule]:
    """Return all rules."""
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


def _is_selected(rule: LintRule, options: CheckOptions) -> bool:
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
