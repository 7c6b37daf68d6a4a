"""Findings as SARIF 2.1.0, which code hosts show next to the lines (OASIS standard)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyd_core.dockerfile.checks.finding import Finding
from pyd_core.dockerfile.checks.running import known_rules

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"warning": "warning", "advice": "note"}


def sarif_document(reports: Iterable[tuple[str, Iterable[Finding]]], *, version: str) -> dict[str, Any]:
    """Return a SARIF document.

    Args:
        reports: Files, by paths relative to the repository, and their findings.
        version: The version of pyd.
    """
    results = [_result(path, finding) for path, findings in reports for finding in findings]
    used = {result["ruleId"] for result in results}
    rules: list[dict[str, Any]] = []
    for rule in known_rules():
        if rule.name in used:
            entry: dict[str, Any] = {"id": rule.name, "shortDescription": {"text": rule.description}}
            if rule.url:
                entry["helpUri"] = rule.url
            rules.append(entry)
    driver = {"name": "pyd lint", "semanticVersion": version, "rules": rules}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(path: str, finding: Finding) -> dict[str, Any]:
    region = {"startLine": max(finding.span.start, 1), "endLine": max(finding.span.end, 1)}
    text = f"{finding.message}. {finding.hint}" if finding.hint else finding.message
    return {
        "ruleId": finding.rule,
        "level": _LEVELS.get(finding.severity, "error"),
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": region}}],
    }
