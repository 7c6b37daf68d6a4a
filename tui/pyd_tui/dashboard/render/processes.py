"""A container's processes as a tree."""

from __future__ import annotations

from pyd_core.model.container import Processes
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.facts import nothing
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, cell

Row = list[str]


def processes(found: Processes) -> list[Cell]:
    """Returns the processes, children below their parent; columns as the engine's `ps` has them, the command last."""
    if not found.processes:
        return nothing("no processes")
    titles = [title.upper() for title in found.titles]
    pid, ppid = _index(titles, "PID"), _index(titles, "PPID", "PPID ")
    command = len(titles) - 1
    shown = [at for at in range(command) if at != ppid and not _says_nothing(titles[at], found.processes, at)]
    widths = {at: max(len(safe(row[at])) for row in [titles, *found.processes] if at < len(row)) for at in shown}
    head = "  ".join(_pad(titles[at], widths[at], titles[at]) for at in shown)
    lines: list[Cell] = [EMPTY, (Piece(f" {head}  {titles[command]}", "dim"),)]
    for row, branch in _tree(found.processes, pid, ppid):
        values = "  ".join(_pad(safe(row[at]), widths[at], titles[at]) for at in shown if at < len(row))
        text = row[command] if command < len(row) else ""
        lines.append((Piece(f" {values}  ", "dim"), Piece(branch, "faint"), *cell(text)))
    return lines


def _says_nothing(title: str, rows: list[Row], at: int) -> bool:
    """Whether a column is only noise: ps's own guess at processor use, or the terminals of processes without any."""
    return title == "C" or (title == "TTY" and all(row[at] in {"?", "-"} for row in rows if at < len(row)))


def _pad(text: str, width: int, title: str) -> str:
    return text.rjust(width) if title in {"PID", "C", "%CPU", "%MEM", "VSZ", "RSS"} else text.ljust(width)


def _index(titles: list[str], *names: str) -> int | None:
    return next((at for at, title in enumerate(titles) if title in names), None)


def _tree(rows: list[Row], pid: int | None, ppid: int | None) -> list[tuple[Row, str]]:
    """Puts each process below its parent, with the branches drawn; without the two columns they stay as they are."""
    if pid is None or ppid is None or any(len(row) <= max(pid, ppid) for row in rows):
        return [(row, "") for row in rows]
    known = {row[pid] for row in rows}
    children: dict[str, list[Row]] = {}
    for row in rows:
        parent = row[ppid] if row[ppid] in known and row[ppid] != row[pid] else ""
        children.setdefault(parent, []).append(row)
    result: list[tuple[Row, str]] = []
    seen: set[str] = set()
    waiting = [(row, "", True, 0) for row in reversed(children.get("", []))]
    while waiting:  # not by recursion: a thousand processes may be a chain
        row, before, last, depth = waiting.pop()
        if row[pid] in seen:
            continue
        seen.add(row[pid])
        result.append((row, before + (("└─ " if last else "├─ ") if depth else "")))
        below = children.get(row[pid], [])
        inner = before + (("   " if last else "│  ") if depth else "")
        waiting += [(one, inner, at == 0, depth + 1) for at, one in enumerate(reversed(below))]
    return result + [(row, "") for row in rows if row[pid] not in seen]
