"""Explanation of error messages."""

from __future__ import annotations

from pathlib import Path

from pyd_core.client.provider import Provider
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.checks.build import check_context
from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.checks.ports import check_port
from pyd_core.triage.checks.reach import check_reach
from pyd_core.triage.checks.rights import check_path, check_socket
from pyd_core.triage.checks.space import check_space
from pyd_core.triage.messages import read_message
from pyd_core.triage.verdict import EvidenceLine, Verdict, as_line


async def explain_error(text: str, engine: Provider | None, *, directory: Path, name: str = "") -> Verdict:
    """Explain an error message of an engine or its commands, and check the objects it names.

    Args:
        text: The message.
        engine: Queried about containers, networks and disk use; None if none can be reached.
        directory: Where the failed command ran, for paths of a build.
        name: The container that printed it, if known, which the named objects are compared with.
    """
    message = read_message(text)
    if message is None:
        return Verdict(
            name="", cause="unknown", confidence=0.1, summary="pyd doesn't know this error", severity="broken",
            advice=("run `pyd triage NAME` on the affected container",),
        )  # fmt: skip
    findings = CheckFindings()
    findings.add("message", message.line)
    match message.cause:
        case "port-conflict" | "address-in-use":
            await check_port(message, engine, findings)
        case "engine-permission":
            check_socket(message, findings)
        case "build-context":
            check_context(message, directory, findings)
        case "no-space":
            await check_space(engine, findings)
        case "permission-denied" | "volume-permission":
            await check_path(message, engine, name, findings)
        case "dns-failure" | "connection-refused":
            await check_reach(message, engine, name, findings)
        case "engine-unreachable":
            findings.advice += ["systemctl status docker", "pyd context ls"]
        case "image-not-found" | "pull-auth" | "pull-rate-limited":
            findings.advice.append(f"pyd login {_registry(message.subject)}".rstrip())
        case "name-conflict":
            findings.advice.append(f"pyd rm {message.subject}")
        case "command-not-found":
            findings.advice.append("pyd debug NAME # brings its own shell and tools")
        case _:
            pass
    evidence: tuple[EvidenceLine, ...] = tuple(as_line(item) for item in findings.evidence)
    return Verdict(
        name="",
        cause=message.cause,
        confidence=round(message.confidence, 2),
        summary=message.meaning,
        evidence=evidence,
        advice=(*findings.advice, CAUSES[message.cause].remedy),
        unread=tuple(findings.unread),
        severity="broken",
    )


def _registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""
