"""A container's processes as a tree."""

from __future__ import annotations

from dataclasses import dataclass

from pyd_core.model.container import Processes
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.figures import size
from pyd_tui.dashboard.render.pieces import Cell, Span, cell

COLUMNS = "-eo user,pid,ppid,rss,stime,time,args"
"""Arguments for the container's `ps` (ps(1)); an engine with another `ps` is asked for its default columns."""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process: its line, its pid on the engine's host (0 if unknown), and its command."""

    line: Cell
    pid: int
    command: str


def processes(found: Processes) -> tuple[Cell, list[ProcessRow]]:
    """Return the heading and the processes, children below their parent; the command is the last column."""
    titles = [title.upper() for title in found.titles]
    if not titles:
        return (), []
    rows = [_readable(titles, row) for row in found.processes]
    titles = [_TITLES.get(title, title) for title in titles]
    pid, ppid = _index(titles, "PID"), _index(titles, "PPID", "PPID ")
    command = len(titles) - 1
    shown = [at for at in range(command) if at != ppid and not _says_nothing(titles[at], rows, at)]
    widths = {at: max(len(safe(row[at])) for row in [titles, *rows] if at < len(row)) for at in shown}
    head = "  ".join(_pad(titles[at], widths[at], titles[at]) for at in shown)
    told: list[ProcessRow] = []
    for row, branch in _tree(rows, pid, ppid):
        values = "  ".join(_pad(safe(row[at]), widths[at], titles[at]) for at in shown if at < len(row))
        text = row[command] if command < len(row) else ""
        line = (Span(f"{values}  ", "dim"), Span(branch, "faint"), *cell(text))
        number = row[pid] if pid is not None and pid < len(row) else ""
        told.append(ProcessRow(line, int(number) if number.isdecimal() else 0, text))
    return (Span(f"{head}  {titles[command]}", "dim"),), told


_TITLES = {"USER": "UID", "RSS": "MEM", "COMMAND": "CMD"}
"""Titles that replace those of `ps`."""


def _readable(titles: list[str], row: list[str]) -> list[str]:
    """Return the row with memory in the usual units: `ps` counts it in KiB."""
    at = _index(titles, "RSS")
    if at is None or at >= len(row) or not row[at].isdecimal():
        return row
    return [*row[:at], size(int(row[at]) * 1024), *row[at + 1 :]]


def _says_nothing(title: str, rows: list[list[str]], at: int) -> bool:
    """Return whether a column is noise: ps's estimate of processor use, or the terminals of processes without one."""
    return title == "C" or (title == "TTY" and all(row[at] in {"?", "-"} for row in rows if at < len(row)))


def _pad(text: str, width: int, title: str) -> str:
    return text.rjust(width) if title in {"PID", "C", "%CPU", "%MEM", "VSZ", "MEM"} else text.ljust(width)


def _index(titles: list[str], *names: str) -> int | None:
    return next((at for at, title in enumerate(titles) if title in names), None)


def _tree(rows: list[list[str]], pid: int | None, ppid: int | None) -> list[tuple[list[str], str]]:
    """Order processes below their parents, with drawn branches; unchanged if either column is missing."""
    if pid is None or ppid is None or any(len(row) <= max(pid, ppid) for row in rows):
        return [(row, "") for row in rows]
    known = {row[pid] for row in rows}
    children: dict[str, list[list[str]]] = {}
    for row in rows:
        parent = row[ppid] if row[ppid] in known and row[ppid] != row[pid] else ""
        children.setdefault(parent, []).append(row)
    result: list[tuple[list[str], str]] = []
    seen: set[str] = set()
    waiting = [(row, "", True, 0) for row in reversed(children.get("", []))]
    while waiting:  # no recursion: a thousand processes may form a chain
        row, before, last, depth = waiting.pop()
        if row[pid] in seen:
            continue
        seen.add(row[pid])
        result.append((row, before + (("└─ " if last else "├─ ") if depth else "")))
        below = children.get(row[pid], [])
        inner = before + (("   " if last else "│  ") if depth else "")
        waiting += [(one, inner, at == 0, depth + 1) for at, one in enumerate(reversed(below))]
    return result + [(row, "") for row in rows if row[pid] not in seen]
