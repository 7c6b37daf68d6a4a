"""The prompt: target, its state, user, working directory, and the last exit code."""

from __future__ import annotations

from pyd_core.debug.channel import JoinReport
from pyd_core.sanitise import safe

MAX_DIRECTORY_CHARACTERS = 40
"""Characters of the working directory that are shown."""

STYLES = {
    "prompt.name": "bold ansicyan",
    "prompt.running": "ansigreen",
    "prompt.other": "bold ansiyellow",
    "prompt.ended": "bold ansired",
    "prompt.user": "",
    "prompt.folder": "bold ansiblue",
    "prompt.code": "bold ansired",
    "prompt.jobs": "ansiyellow",
    "prompt.more": "ansibrightblack",
}

_ENDED = frozenset({"exited", "dead", "removing", "gone"})


def prompt_pieces(
    name: str, state: str, report: JoinReport, *, identity: str, recording: bool
) -> list[tuple[str, str]]:
    """Return the prompt in styled pieces, `web (running) root:/etc [1]# `.

    Args:
        name: The target's name, safe to show.
        state: Its state in the engine's words, or `process` or `image`.
        report: Bash's last report; it comes from the target and is made safe here.
        identity: The shell's user: `root`, `tracer`, `target` or `UID[:GID]`.
        recording: Whether the session is recorded.
    """
    kind = "running" if state == "running" else "ended" if state in _ENDED else "other"
    user = "root" if report.uid == 0 else str(report.uid)
    pieces = [
        *([("class:prompt.code", "● ")] if recording else []),
        ("class:prompt.name", name),
        *([(f"class:prompt.{kind}", f" ({safe(state)})")] if state else []),
        ("class:prompt.user", f" {'target' if identity == 'target' else user}:"),
        ("class:prompt.folder", short_directory(report.cwd, report.home)),
    ]
    if report.jobs:
        pieces.append(("class:prompt.jobs", f" &{report.jobs}"))
    if report.code:
        pieces.append(("class:prompt.code", f" [{report.code}]"))
    return [*pieces, ("class:prompt.user", "# " if report.uid == 0 else "$ ")]


def short_directory(directory: str, home: str) -> str:
    """Return a directory as the prompt shows it, safe: `~` for the home directory; a long one is cut at its start."""
    if len(home) > 1 and (directory == home or directory.startswith(f"{home}/")):
        directory = f"~{directory[len(home) :]}"
    shown = safe(directory).replace("\t", "␉")
    return shown if len(shown) <= MAX_DIRECTORY_CHARACTERS else f"…{shown[1 - MAX_DIRECTORY_CHARACTERS :]}"
