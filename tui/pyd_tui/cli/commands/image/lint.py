"""`pyd lint`."""

from __future__ import annotations

from typing import Any

import click

from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import json_document, write, write_json


@click.command(
    "lint",
    cls=PydCommand,
    examples=(
        ("pyd lint", "check the Dockerfile in this directory"),
        ("pyd lint --fix", "apply the safe fixes"),
        ("pyd lint --sarif services/*/Dockerfile > lint.sarif", "check several, and write SARIF for a code host"),
        ("pyd lint --skip RunsAsRoot,NoHealthcheck --strict", "fail on advice too, without two rules"),
    ),
)
@click.argument("paths", nargs=-1, metavar="[DIRECTORY|FILE|-]...")
@click.option("-f", "--file", default="", metavar="FILE", help="Path of the Dockerfile.")
@click.option("--target", default="", metavar="STAGE", help="Stage that becomes the image; default: the last.")
@click.option("--skip", multiple=True, metavar="RULE,…", help="Leave rules out.")
@click.option("--experimental", multiple=True, metavar="RULE,…|all", help="Run experimental rules too.")
@click.option("--advice/--no-advice", default=True, help="Give pyd's own advice in addition to BuildKit's rules.")
@click.option("--strict", is_flag=True, help="Exit with 1 on advice too.")
@click.option("--fix", is_flag=True, help="Apply the fixes that are safe.")
@click.option("--sarif", is_flag=True, help="Write SARIF 2.1.0.")
@pass_state
def command(state: State, /, *, paths: tuple[str, ...], sarif: bool, **values: Any) -> int:
    """Check Dockerfiles.

    The exit code is 0 without findings or with advice only, 1 with warnings, and 2 if a Dockerfile can't be read.
    """
    from pyd_tui.cli.builds.lint_report import STDIN, LintFlags, lint_path, report_lines, summary_line

    for name in ("skip", "experimental"):
        values[name] = tuple(part.strip() for text in values[name] for part in text.split(",") if part.strip())
    flags = LintFlags(**values)
    reports = [lint_path(path, flags) for path in paths or (".",)]
    if sarif:
        _write_sarif(reports)
    elif state.json:
        write_json([entry for report in reports for entry in report.entries()])
    else:
        lines = [line for report in reports for line in report_lines(report)]
        if summary := summary_line(reports):
            lines.append(summary)
        text = "".join(f"{line}\n" for line in lines)
        is_filter = flags.fix and STDIN in paths  # the fixed file is on stdout
        click.echo(text, nl=False, err=is_filter)
    if any(report.error is not None for report in reports):
        return 2
    count = sum(len(report.findings) if flags.strict else report.warning_count for report in reports)
    return 1 if count else 0


def _write_sarif(reports: list[Any]) -> None:
    import msgspec

    from pyd_core import __version__
    from pyd_core.dockerfile.checks.finding import Finding
    from pyd_core.dockerfile.checks.sarif import sarif_document
    from pyd_core.dockerfile.span import LineSpan
    from pyd_tui.cli.builds.lint_report import ERROR_RULE

    findings = []
    for report in reports:
        listed = list(report.findings)
        if report.error is not None:
            span = LineSpan(report.error.line, report.error.end_line)
            listed.append(Finding(rule=ERROR_RULE, severity="warning", message=report.error.message, span=span))
        findings.append((report.path, listed))
    write(json_document(msgspec.json.encode(sarif_document(findings, version=__version__))) + "\n")
