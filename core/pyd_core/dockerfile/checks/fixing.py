"""Fixes: apply them until no finding has one."""

from __future__ import annotations

import msgspec

from pyd_core.dockerfile.checks.case import CheckCase, read_case
from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.dockerfile.checks.line_edits import MAX_PASSES, apply_fixes
from pyd_core.dockerfile.checks.running import CheckOptions, run_checks
from pyd_core.errors import DockerfileError


def fix_findings(content: bytes, case: CheckCase, options: CheckOptions) -> tuple[bytes, list[Finding]]:
    """Return a Dockerfile after all safe fixes, and the findings that were fixed.

    A round of fixes after which the file can't be read is not kept.

    Args:
        content: The file.
        case: The file's case.
        options: Options of the checks.
    """
    fixed: list[Finding] = []
    line_feed = b"\r\n" if b"\r\n" in content else b"\n"
    for _ in range(MAX_PASSES):
        findings = [finding for finding in run_checks(case, options) if finding.fix is not None]
        if not findings:
            break
        lines = apply_fixes(list(case.tree.lines), [finding.fix for finding in findings if finding.fix is not None])
        changed = line_feed.join(line.encode() for line in lines)
        try:
            tree = read_case(changed)
        except DockerfileError:
            break
        if changed == content:
            break
        fixed += findings
        content = changed
        case = msgspec.structs.replace(case, tree=tree.tree, dockerfile=tree.dockerfile)
    unique = {(finding.rule, finding.span, finding.message): finding for finding in fixed}
    return content, list(unique.values())
