"""`pyd build --check`: BuildKit's rules on the Dockerfile of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.errors import Unsupported
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_tui.cli.builds.flags import BuildFlags
    from pyd_tui.console.global_options import State


def check_build(state: State, source: str, flags: BuildFlags) -> int:
    """Check a build's Dockerfile, and return the exit code: 1 with warnings, 2 if the file can't be read.

    Raises:
        Unsupported: The Dockerfile isn't on this machine.
    """
    from pyd_core.buildkit.client.prepare import REMOTE_PREFIXES
    from pyd_tui.cli.builds.lint_report import LintFlags, lint_path, report_lines, summary_line

    if source.startswith(REMOTE_PREFIXES):
        raise Unsupported("--check needs a Dockerfile on this machine", hint="clone the repository first")
    report = lint_path(source, LintFlags(file=flags.file, target=flags.target, advice=False))
    if state.json:
        write_json(report.entries())
    else:
        lines = report_lines(report)
        lines.append(summary_line([report]) or ("" if report.error else "Check complete, no warnings found."))
        write("".join(f"{line}\n" for line in lines if line))
    if report.error is not None:
        return 2
    return 1 if report.warning_count else 0
