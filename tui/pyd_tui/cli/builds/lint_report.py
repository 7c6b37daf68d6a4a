"""Lint of a Dockerfile on this machine: reading it, its findings, and their presentation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.dockerfile.checks.case import CheckCase, read_case
from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.dockerfile.checks.fixing import fix_findings
from pyd_core.dockerfile.checks.running import CheckOptions, parse_check_options, run_checks
from pyd_core.dockerfile.ignore import IGNORE_FILE, read_patterns
from pyd_core.dockerfile.parser import MAX_DOCKERFILE_BYTES
from pyd_core.dockerfile.span import LineSpan
from pyd_core.errors import DockerfileError, InvalidInput, NotFound
from pyd_core.sanitise import safe
from pyd_tui.cli.builds.source_excerpt import excerpt_lines
from pyd_tui.console.output import coloured

STDIN = "-"
ERROR_RULE = "DockerfileError"
"""Rule of the finding for a file that can't be read."""
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "advice": "\x1b[36m"}
_RESET = "\x1b[0m"


class LintFlags(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `pyd lint`."""

    file: str = ""
    target: str = ""
    skip: tuple[str, ...] = ()
    experimental: tuple[str, ...] = ()
    advice: bool = True
    strict: bool = False
    fix: bool = False


class LintReport(msgspec.Struct, frozen=True, kw_only=True):
    """Report of a file."""

    path: str
    lines: Sequence[str]
    findings: Sequence[Finding] = ()
    fixed: Sequence[Finding] = ()
    error: DockerfileError | None = None

    @property
    def warning_count(self) -> int:
        """The number of findings of BuildKit's rules."""
        return sum(finding.severity == "warning" for finding in self.findings)

    def entries(self) -> list[dict[str, Any]]:
        """Return the findings for `--json`."""
        entries = [
            {
                "file": self.path, "line": finding.span.start, "end_line": finding.span.end, "rule": finding.rule,
                "severity": finding.severity, "message": finding.message, "hint": finding.hint, "url": finding.url,
                "fixable": finding.fix is not None,
            }
            for finding in self.findings
        ]  # fmt: skip
        if self.error is not None:
            entries.append(
                {
                    "file": self.path, "line": self.error.line, "end_line": self.error.end_line, "rule": ERROR_RULE,
                    "severity": "error", "message": self.error.message, "hint": self.error.hint, "url": "",
                    "fixable": False,
                }
            )  # fmt: skip
        return entries


def lint_path(path: str, flags: LintFlags) -> LintReport:
    """Check a Dockerfile, or the one in a directory.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It can't be read, or an ignore pattern is malformed.
    """
    file, content, context = _read(path, flags.file)
    shown = "<stdin>" if file is None else str(file)
    lines = content.decode("utf-8", "replace").splitlines()
    try:
        case = _case(content, file, context, flags)
        options = _options(case, flags)
        fixed: list[Finding] = []
        if flags.fix:
            changed, fixed = fix_findings(content, case, options)
            if fixed:
                _write(file, changed)
                case = _case(changed, file, context, flags)
        findings = run_checks(case, options)
    except DockerfileError as error:
        return LintReport(path=shown, lines=lines, error=error)
    return LintReport(path=shown, lines=case.tree.lines, findings=findings, fixed=fixed)


def _read(path: str, name: str) -> tuple[Path | None, bytes, Path | None]:
    """Return the file, its content, and the directory of its context."""
    if STDIN in {path, name}:
        return None, sys.stdin.buffer.read(MAX_DOCKERFILE_BYTES + 1), None if path == STDIN else Path(path)
    target = Path(path)
    context = target if target.is_dir() else target.parent
    file = (Path(name) if name else target / "Dockerfile") if target.is_dir() else target
    if not file.is_file() and name and (target / name).is_file():
        file = target / name
    try:
        with file.open("rb") as stream:
            return file, stream.read(MAX_DOCKERFILE_BYTES + 1), context
    except FileNotFoundError:
        raise NotFound(
            f"no such Dockerfile: {safe(str(file))}", hint="name it with -f", reference="no-such-dockerfile"
        ) from None
    except OSError as error:
        raise InvalidInput(f"can't read {safe(str(file))}: {error.strerror}", reference="unreadable-file") from error


def _write(file: Path | None, content: bytes) -> None:
    if file is None:
        sys.stdout.buffer.write(content)
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"can't write {safe(str(file))}: {error.strerror}", reference="unwritable-file") from error


def _case(content: bytes, file: Path | None, context: Path | None, flags: LintFlags) -> CheckCase:
    case = read_case(content, name=file.name if file else "Dockerfile", target=flags.target)
    if context is None:
        return case
    candidates = [context / IGNORE_FILE]
    if file is not None:
        candidates.insert(0, file.with_name(f"{file.name}{IGNORE_FILE}"))
    for candidate in candidates:
        if candidate.is_file():
            patterns = read_patterns(candidate.read_bytes())
            return msgspec.structs.replace(case, ignore_patterns=patterns, has_ignore_file=True)
    return msgspec.structs.replace(case, has_ignore_file=False)


def _options(case: CheckCase, flags: LintFlags) -> CheckOptions:
    declared = parse_check_options(case.tree.directives.check)
    return CheckOptions(
        skip=declared.skip | {name.lower() for name in flags.skip},
        experimental=declared.experimental | {name.lower() for name in flags.experimental},
        is_error=declared.is_error,
        with_advice=flags.advice,
    )


def report_lines(report: LintReport) -> list[str]:
    """Return a report as lines for a terminal."""
    lines = [
        f"{safe(report.path)}:{finding.span.start}: fixed: {finding.rule}: {safe(finding.message)}"
        for finding in report.fixed
    ]
    for finding in report.findings:
        heading = f"{finding.rule}: {safe(finding.message)}"
        lines += _entry(report, finding.severity, heading, finding.span, finding.hint)
    if report.error is not None:
        error = report.error
        lines += _entry(report, "error", safe(error.message), LineSpan(error.line, error.end_line), error.hint)
    return lines


def summary_line(reports: Sequence[LintReport]) -> str:
    """Return the numbers of findings, or an empty text if there are none."""
    findings = [finding for report in reports for finding in report.findings]
    warnings = sum(finding.severity == "warning" for finding in findings)
    fixable = sum(finding.fix is not None for finding in findings)
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((warnings, "warning"), (len(findings) - warnings, "suggestion"))
        if count
    ]
    return ", ".join(parts) + (f"; pyd lint --fix fixes {fixable}" if fixable else "")


def _entry(report: LintReport, severity: str, text: str, span: LineSpan, hint: str) -> list[str]:
    word = f"{_COLOURS[severity]}{severity}{_RESET}" if coloured() else severity
    lines = [f"{safe(report.path)}:{max(span.start, 1)}: {word}: {text}"]
    if span.start:
        lines += [f"  {line}" for line in excerpt_lines(report.lines, span.start, span.end)]
    if hint:
        lines.append(f"  hint: {safe(hint)}")
    return lines
