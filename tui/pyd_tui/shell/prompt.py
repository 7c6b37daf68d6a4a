"""The prompt: where one is, in what state it is, who one is, and how the last line ended."""

from __future__ import annotations

from pyd_core.debug.channel import JoinReport
from pyd_core.sanitise import safe

LONGEST_FOLDER = 40
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
        state: Its state as the engine words it; `process` and `image` are no states and are told as well.
        report: Bash's last; the target's word, made safe here.
        identity: Who the shell was opened as: `root`, `tracer`, `target` or `UID[:GID]`.
        recording: Whether the session is recorded.
    """
    kind = "running" if state == "running" else "ended" if state in _ENDED else "other"
    user = "root" if report.uid == 0 else str(report.uid)
    pieces = [
        *([("class:prompt.code", "● ")] if recording else []),
        ("class:prompt.name", name),
        *([(f"class:prompt.{kind}", f" ({safe(state)})")] if state else []),
        ("class:prompt.user", f" {'target' if identity == 'target' else user}:"),
        ("class:prompt.folder", short_folder(report.cwd, report.home)),
    ]
    if report.jobs:
        pieces.append(("class:prompt.jobs", f" &{report.jobs}"))
    if report.code:
        pieces.append(("class:prompt.code", f" [{report.code}]"))
    return [*pieces, ("class:prompt.user", "# " if report.uid == 0 else "$ ")]


def short_folder(folder: str, home: str) -> str:
    """Return a folder as a prompt shows it, safe: `~` for the home directory, its end alone when it is long."""
    if len(home) > 1 and (folder == home or folder.startswith(f"{home}/")):
        folder = f"~{folder[len(home) :]}"
    shown = safe(folder).replace("\t", "␉")
    return shown if len(shown) <= LONGEST_FOLDER else f"…{shown[1 - LONGEST_FOLDER :]}"
