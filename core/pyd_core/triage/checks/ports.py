"""Check of a port that is in use."""

from __future__ import annotations

from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.linux.listeners import find_listener
from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.evidence import UnavailableSource
from pyd_core.triage.messages import Message


async def check_port(message: Message, engine: Provider | None, findings: CheckFindings) -> None:
    """Find the program and the container that use a port."""
    text = message.subject.rpartition(":")[2] or message.subject
    digits = "".join(character for character in text.partition("/")[0] if character.isdigit())
    if not digits:
        return
    port = int(digits)
    holder = find_listener(port)
    if holder is not None:
        who = f"{holder.name} (pid {holder.pid})" if holder.pid else "a program of another user"
        findings.add("host", f"port {port} is used by {who}")
        if holder.pid and holder.name != "docker-proxy":
            findings.advice.append(f"kill {holder.pid} # or stop its service")
    else:
        findings.add("host", f"nothing listens on port {port} of this machine now")
    if engine is None:
        return
    try:
        containers = await engine.containers.list()
    except PydError as error:
        findings.unread.append(
            UnavailableSource(source="engine", reason=error.message, would_tell="which container publishes it")
        )
        return
    for container in containers:
        if any(entry.public_port == port for entry in container.ports):
            findings.add("engine", f"container {container.name} publishes port {port}")
            findings.advice.append(f"pyd stop {container.name}")
