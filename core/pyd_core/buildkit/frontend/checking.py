"""Checks in a build: findings as warnings of a vertex, and builds that fail because of them."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.buildkit.frontend.compiler import DockerfileSource
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.proto import control_pb2, ops_pb2
from pyd_core.dockerfile.checks.case import BaseFacts, CheckCase
from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.dockerfile.checks.running import CheckOptions, parse_check_options, run_checks
from pyd_core.dockerfile.parser import parse_dockerfile
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.stages import divide
from pyd_core.errors import DockerfileError


def check_source(
    source: DockerfileSource, options: FrontendOptions, bases: Mapping[int, BaseFacts]
) -> tuple[list[Finding], CheckOptions]:
    """Return the findings of BuildKit's rules, and the options of the checks.

    Raises:
        DockerfileError: The Dockerfile or the options can't be read.
    """
    tree = parse_dockerfile(source.text, name=source.filename)
    text = tree.directives.check if options.check_options is None else options.check_options
    parsed = parse_check_options(text)
    check_options = CheckOptions(
        skip=parsed.skip, experimental=parsed.experimental, is_error=parsed.is_error, with_advice=False
    )
    case = CheckCase(
        tree=tree, dockerfile=divide(tree), target=options.target, build_args=options.build_args, bases=bases,
        ignore_patterns=source.ignore_patterns or None,
    )  # fmt: skip
    return run_checks(case, check_options), check_options


def refuse_findings(findings: list[Finding], options: CheckOptions) -> None:
    """Fail a build whose Dockerfile says that findings are errors.

    Raises:
        DockerfileError: There are findings, and the options say so.
    """
    if findings and options.is_error:
        rules = ", ".join(dict.fromkeys(finding.rule for finding in findings))
        first = findings[0]
        raise DockerfileError(
            f"lint violation found for rules: {rules}", line=first.span.start, end_line=first.span.end,
            hint=first.message, reference="lint-violation",
        )  # fmt: skip


def warning_message(finding: Finding, *, vertex: str, source: DockerfileSource) -> control_pb2.VertexWarning:
    """Return a finding as a warning of a vertex, as BuildKit's progress has it."""
    return control_pb2.VertexWarning(
        vertex=vertex, level=1, short=finding.short.encode(), detail=[finding.description.encode()], url=finding.url,
        info=source.info, ranges=[line_range(finding.span)],
    )  # fmt: skip


def line_range(span: LineSpan) -> ops_pb2.Range:
    """Return lines as LLB has them."""
    return ops_pb2.Range(start=ops_pb2.Position(line=span.start), end=ops_pb2.Position(line=span.end))
