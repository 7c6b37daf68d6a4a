"""Explaining an error message."""

from __future__ import annotations

from pathlib import Path

from pyd_core.client.engine_client import EngineClient
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.checks.build import check_context
from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.checks.ports import check_port
from pyd_core.triage.checks.reach import check_reach
from pyd_core.triage.checks.rights import check_path, check_socket
from pyd_core.triage.checks.space import check_space
from pyd_core.triage.messages import read_message
from pyd_core.triage.verdict import EvidenceLine, Verdict, as_line


async def explain_error(text: str, engine: EngineClient | None, *, directory: Path, name: str = "") -> Verdict:
    """Explain an error message of an engine or its commands, and check what it names.

    Args:
        text: The message.
        engine: Asked about containers, networks and disk use where that helps; None where none answers.
        directory: Where the failed command ran, for paths of a build.
        name: The container that said it, where that is known: what it names is then compared with that one.
    """
    message = read_message(text)
    if message is None:
        return Verdict(
            name="", cause="unknown", confidence=0.1, summary="no error that pyd knows", severity="broken",
            advice=("run `pyd triage NAME` on the container it is about",),
        )  # fmt: skip
    found = CheckFindings()
    found.saw("message", message.line)
    match message.cause:
        case "port-conflict" | "address-in-use":
            await check_port(message, engine, found)
        case "engine-permission":
            check_socket(message, found)
        case "build-context":
            check_context(message, directory, found)
        case "no-space":
            await check_space(engine, found)
        case "permission-denied" | "volume-permission":
            await check_path(message, engine, name, found)
        case "dns-failure" | "connection-refused":
            await check_reach(message, engine, name, found)
        case "engine-unreachable":
            found.advice += ["systemctl status docker", "pyd context ls"]
        case "image-not-found" | "pull-auth" | "pull-rate-limited":
            found.advice.append(f"pyd login {_registry(message.subject)}".rstrip())
        case "name-conflict":
            found.advice.append(f"pyd rm {message.subject}")
        case "command-not-found":
            found.advice.append("pyd debug NAME # brings a shell and tools of its own")
        case _:
            pass
    evidence: tuple[EvidenceLine, ...] = tuple(as_line(item) for item in found.evidence)
    return Verdict(
        name="",
        cause=message.cause,
        confidence=round(message.confidence, 2),
        summary=message.meaning,
        evidence=evidence,
        advice=(*found.advice, CAUSES[message.cause].remedy),
        unread=tuple(found.unread),
        severity="broken",
    )


def _registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""
