"""Check of a path that a build couldn't find."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.messages import Message


def check_context(message: Message, directory: Path, findings: CheckFindings) -> None:
    """Search the path in the build's directory and in .dockerignore."""
    name = message.subject.lstrip("/")
    if not name or ".." in name.split("/"):
        return
    path = directory / name
    if path.exists():
        findings.add("host", f"{name} is in {directory}")
    else:
        findings.add("host", f"{name} isn't in {directory}")
        lower_name = Path(name).name.lower()
        near = [entry.name for entry in directory.iterdir() if entry.name.lower() == lower_name and entry.name != name]
        findings.advice += [f"write {entry}: names are case-sensitive" for entry in near[:1]]
        findings.advice.append("use the directory that contains it as build context: pyd build -f DOCKERFILE DIRECTORY")
    ignored = directory / ".dockerignore"
    try:
        patterns = ignored.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    hits = [pattern for pattern in patterns if _ignores(pattern.strip(), name)]
    if hits:
        findings.add("host", f".dockerignore excludes it: {hits[-1].strip()}")
        findings.advice.insert(0, f"add !{name} to .dockerignore")


def _ignores(pattern: str, name: str) -> bool:
    """Return whether a line of .dockerignore covers a path or its directories; `!` lines and comments don't count."""
    if not pattern or pattern.startswith(("#", "!")):
        return False
    plain = pattern.strip("/").removeprefix("**/")
    parts = name.split("/")
    heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    tails = parts if pattern.startswith("**/") else []
    return any(fnmatch.fnmatch(head, plain) for head in (*heads, *tails))
