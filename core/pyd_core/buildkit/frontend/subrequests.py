"""Subrequests: questions about a Dockerfile that build nothing (`docker buildx build --call`)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from pyd_core.buildkit.frontend.checking import check_source
from pyd_core.buildkit.frontend.compiler import CompiledBuild, DockerfileSource, compile_dockerfile
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.outline import description_of, location, outline_of, outline_text
from pyd_core.buildkit.frontend.services import FrontendServices
from pyd_core.dockerfile.parser import parse_dockerfile
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.stages import divide
from pyd_core.errors import DockerfileError, Unsupported

DESCRIBE = "frontend.subrequests.describe"
OUTLINE = "frontend.outline"
TARGETS = "frontend.targets"
LINT = "frontend.lint"
VERSION = b"1.0.0"
_DESCRIPTIONS = {
    OUTLINE: "List all parameters current build target supports",
    TARGETS: "List all targets current build supports",
    LINT: "Lint a Dockerfile",
    DESCRIBE: "List available subrequest types",
}


async def answer_subrequest(
    request: str, source: DockerfileSource, options: FrontendOptions, services: FrontendServices
) -> dict[str, bytes]:
    """Return the metadata of a subrequest's result.

    Raises:
        Unsupported: There is no such subrequest.
        DockerfileError: The Dockerfile can't be read.
    """
    if request == DESCRIBE:
        return _result(_described(), _describe_text)
    if request == TARGETS:
        return _result(_targets(source), _targets_text)
    if request == OUTLINE:
        return _result(outline_of(source, options), outline_text)
    if request == LINT:
        report = await _lint(source, options, services)
        has_problem = bool(report["warnings"] or report.get("buildError"))
        return {**_result(report, _lint_text), "result.statuscode": b"1" if has_problem else b"0"}
    raise Unsupported(
        f"unsupported request {request[:100]}", hint=", ".join(_DESCRIPTIONS), reference="unknown-request"
    )


def _result(document: Any, text: Callable[[Any], str]) -> dict[str, bytes]:
    return {"result.json": msgspec.json.encode(document), "result.txt": text(document).encode(), "version": VERSION}


def _described() -> list[dict[str, Any]]:
    metadata = [{"name": "result.json"}, {"name": "result.txt"}]
    return [
        {"name": name, "version": VERSION.decode(), "type": "rpc", "description": description, "metadata": metadata}
        for name, description in _DESCRIPTIONS.items()
    ]


def _describe_text(document: list[dict[str, Any]]) -> str:
    return "".join(f"{item['name']:32} {item['version']:8} {item['description']}\n" for item in document)


def _targets(source: DockerfileSource) -> dict[str, Any]:
    dockerfile = divide(parse_dockerfile(source.text, name=source.filename))
    targets = []
    for stage in dockerfile.stages:
        start = stage.start
        target: dict[str, Any] = {"base": start.base, "location": location(start.span)}
        if stage.name:
            target["name"] = stage.name
        if description := description_of(start.node.comments, stage.name):
            target["description"] = description
        if stage is dockerfile.stages[-1]:
            target["default"] = True
        if start.platform:
            target["platform"] = start.platform
        targets.append(target)
    return {"targets": targets, "sources": [base64.b64encode(source.text).decode()]}


def _targets_text(document: dict[str, Any]) -> str:
    lines = [f"{'TARGET':24} {'DESCRIPTION'}"]
    for target in document["targets"]:
        name = target.get("name", "(unnamed)") + (" (default)" if target.get("default") else "")
        lines.append(f"{name:24} {target.get('description', '')}".rstrip())
    return "\n".join(lines) + "\n"


async def _lint(source: DockerfileSource, options: FrontendOptions, services: FrontendServices) -> dict[str, Any]:
    info = source.info
    report: dict[str, Any] = {
        "warnings": [],
        "sources": [
            {"filename": info.filename, "data": base64.b64encode(info.data).decode(), "language": info.language}
        ],
    }
    builds: list[CompiledBuild] = []
    try:
        builds = await compile_dockerfile(source, options=options, services=services)
        facts = builds[0].base_facts if builds else {}
    except DockerfileError as error:
        failure: dict[str, Any] = {"message": error.message}
        if error.line:
            failure["location"] = location(LineSpan(error.line, error.end_line))
        report["buildError"] = failure
        facts = {}
    try:
        findings, _ = check_source(source, options, facts)
    except DockerfileError:
        return report
    report["warnings"] = [
        {
            "ruleName": finding.rule, "description": finding.description, "url": finding.url,
            "detail": finding.message, "location": location(finding.span),
        }
        for finding in findings
    ]  # fmt: skip
    return report


def _lint_text(document: dict[str, Any]) -> str:
    lines = []
    for warning in document["warnings"]:
        start = warning["location"]["ranges"][0]["start"]["line"]
        lines += ["", f"WARNING: {warning['ruleName']} - {warning['url']}", warning["detail"]]
        lines.append(f"{document['sources'][0]['filename']}:{start}")
    if "buildError" in document:
        lines += ["", f"ERROR: {document['buildError']['message']}"]
    return "\n".join(lines).strip() + "\n" if lines else ""
