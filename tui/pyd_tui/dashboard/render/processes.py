"""A container's processes as a tree."""

from __future__ import annotations

from dataclasses import dataclass

from pyd_core.humanize import compact_size
from pyd_core.model.container import Processes
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.env import mask_words
from pyd_tui.dashboard.render.pieces import Cell, Span

PS_ARGUMENTS = "-eo user,pid,ppid,rss,stime,time,args"
"""Arguments for the container's `ps` (ps(1)); an engine with another `ps` is asked for its default columns."""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process: its line, its pid on the engine's host (0 if unknown), and its command."""

    line: Cell
    pid: int
    command: str


def processes(listing: Processes) -> tuple[Cell, list[ProcessRow]]:
    """Return the heading and the processes, children below their parent; the command is the last column."""
    titles = [title.upper() for title in listing.titles]
    if not titles:
        return (), []
    rows = [_with_memory_unit(titles, row) for row in listing.processes]
    titles = [_TITLES.get(title, title) for title in titles]
    pid, ppid = _index_of(titles, "PID"), _index_of(titles, "PPID", "PPID ")
    command = len(titles) - 1
    shown = [index for index in range(command) if index != ppid and not _is_noise(titles[index], rows, index)]
    widths = {i: max(len(safe(row[i])) for row in [titles, *rows] if i < len(row)) for i in shown}
    header = "  ".join(_pad(titles[i], widths[i], titles[i]) for i in shown)
    result: list[ProcessRow] = []
    for row, branch in _tree(rows, pid, ppid):
        values = "  ".join(_pad(safe(row[i]), widths[i], titles[i]) for i in shown if i < len(row))
        text = row[command] if command < len(row) else ""
        line = (Span(f"{values}  ", "dim"), Span(branch, "faint"), *mask_words(text))
        number = row[pid] if pid is not None and pid < len(row) else ""
        result.append(ProcessRow(line, int(number) if number.isdecimal() else 0, text))
    return (Span(f"{header}  {titles[command]}", "dim"),), result


_TITLES = {"UID": "USER", "RSS": "MEM", "STIME": "START", "TIME": "CPU TIME", "CMD": "COMMAND"}
"""Titles that replace those of `ps`."""


def _with_memory_unit(titles: list[str], row: list[str]) -> list[str]:
    """Return the row with memory in the usual units: `ps` counts it in KiB."""
    index = _index_of(titles, "RSS")
    if index is None or index >= len(row) or not row[index].isdecimal():
        return row
    return [*row[:index], compact_size(int(row[index]) * 1024), *row[index + 1 :]]


def _is_noise(title: str, rows: list[list[str]], index: int) -> bool:
    """Return whether a column is noise: ps's estimate of processor use, or the terminals of processes without one."""
    return title == "C" or (title == "TTY" and all(row[index] in {"?", "-"} for row in rows if index < len(row)))


def _pad(text: str, width: int, title: str) -> str:
    return text.rjust(width) if title in {"PID", "C", "%CPU", "%MEM", "VSZ", "MEM"} else text.ljust(width)


def _index_of(titles: list[str], *names: str) -> int | None:
    return next((index for index, title in enumerate(titles) if title in names), None)


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
    stack = [(row, "", True, 0) for row in reversed(children.get("", []))]
    while stack:  # no recursion: a thousand processes may form a chain
        row, prefix, last, depth = stack.pop()
        if row[pid] in seen:
            continue
        seen.add(row[pid])
        result.append((row, prefix + (("└─ " if last else "├─ ") if depth else "")))
        below = children.get(row[pid], [])
        inner = prefix + (("   " if last else "│  ") if depth else "")
        stack += [(child, inner, index == 0, depth + 1) for index, child in enumerate(reversed(below))]
    return result + [(row, "") for row in rows if row[pid] not in seen]
