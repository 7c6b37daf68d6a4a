"""Displays of a running build: the live tree, plain lines, JSON lines, or nothing."""

from __future__ import annotations

import os
import sys
import time
from typing import IO, Protocol

from pyd_core.buildkit.client.progress import BuildSteps, ProgressChange, StepProgress
from pyd_core.sanitise import safe
from pyd_tui.console.builds.tree import TreePainter, clock
from pyd_tui.console.output import json_line

FRAME_S = 0.1
"""Seconds between two pictures of the live tree."""
SPARE_ROWS = 1


class BuildDisplay(Protocol):
    """Shows a build while it runs."""

    def update(self, progress: BuildSteps, change: ProgressChange) -> None:
        """Show what a message changed."""
        ...

    def finish(self, progress: BuildSteps) -> None:
        """Show the last state, of a build that ended in any way."""
        ...


def choose_display(kind: str, title: str) -> BuildDisplay:
    """Return a display on stderr.

    Args:
        kind: `auto`, `tty`, `plain`, `rawjson` or `quiet`; `auto` is the tree on a terminal and plain lines elsewhere.
        title: What is built.
    """
    out = sys.stderr
    if kind == "quiet":
        return QuietDisplay()
    if kind == "rawjson":
        return JsonDisplay(out)
    if kind == "tty" or (kind == "auto" and out.isatty() and os.environ.get("TERM") not in {None, "", "dumb"}):
        return LiveDisplay(out, title)
    return PlainDisplay(out)


class QuietDisplay:
    """Shows nothing."""

    def update(self, progress: BuildSteps, change: ProgressChange) -> None:
        """Do nothing."""

    def finish(self, progress: BuildSteps) -> None:
        """Do nothing."""


class PlainDisplay:
    """A line for each start, each line of output and each end, with the number of its step.

    Args:
        out: Where.
    """

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._named: set[str] = set()
        self._ended: set[str] = set()

    def update(self, progress: BuildSteps, change: ProgressChange) -> None:
        """Write what changed."""
        lines: list[str] = []
        for step in change.steps:
            if step.started is not None or step.cached:
                lines += self._name(step)
        for line in change.lines:
            step = progress.steps[line.step]
            lines += self._name(step)
            lines.append(f"#{step.number}   {safe(line.text, colour=False)}")
        lines += (f"warning: {safe(warning.message)}" for warning in change.warnings)
        for step in change.steps:
            if (end := self._end(step)) is not None:
                lines.append(end)
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()

    def finish(self, progress: BuildSteps) -> None:
        """Write each end that isn't written yet."""
        self.update(progress, ProgressChange(steps=tuple(progress.steps.values())))

    def _name(self, step: StepProgress) -> list[str]:
        if step.digest in self._named:
            return []
        self._named.add(step.digest)
        return [f"#{step.number} {safe(' '.join(step.name.split()))}"]

    def _end(self, step: StepProgress) -> str | None:
        if step.completed is None or step.digest in self._ended or step.digest not in self._named:
            return None
        self._ended.add(step.digest)
        if step.error:
            return f"#{step.number} failed: {safe(' '.join(step.error.split()))}"
        return f"#{step.number} cached" if step.cached else f"#{step.number} done {step.duration(0):.1f} s"


class JsonDisplay:
    """A JSON document a line for each change.

    Args:
        out: Where.
    """

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def update(self, progress: BuildSteps, change: ProgressChange) -> None:
        """Write what changed."""
        del progress
        for step in change.steps:
            self._write({
                "type": "step", "digest": step.digest, "name": step.name, "started": step.started,
                "completed": step.completed, "cached": step.cached, "error": step.error,
            })  # fmt: skip
        for line in change.lines:
            self._write({"type": "log", "digest": line.step, "stream": line.stream, "text": line.text})
        for warning in change.warnings:
            self._write({"type": "warning", "message": warning.message, "url": warning.url, "line": warning.line})
        self._out.flush()

    def finish(self, progress: BuildSteps) -> None:
        """Do nothing: all has been written."""

    def _write(self, document: dict[str, object]) -> None:
        self._out.write(json_line(document) + "\n")


class LiveDisplay:
    """The tree, painted over itself as the build proceeds.

    Args:
        out: A terminal.
        title: What is built.
    """

    def __init__(self, out: IO[str], title: str) -> None:
        self._out = out
        self._painter = TreePainter(title, coloured=not os.environ.get("NO_COLOR"))
        self._rows = 0
        self._painted = 0.0
        self._started = time.time()

    def update(self, progress: BuildSteps, change: ProgressChange) -> None:
        """Paint, unless the last picture is younger than a frame."""
        del change
        if time.monotonic() - self._painted >= FRAME_S:
            self.paint(progress)

    def paint(self, progress: BuildSteps) -> None:
        """Paint the present state over the last picture."""
        size = self._size()
        lines = self._painter.lines(
            progress, now=time.time(), started=self._started, width=size.columns, height=size.lines - SPARE_ROWS
        )
        self._replace(lines)

    def finish(self, progress: BuildSteps) -> None:
        """Paint the complete tree."""
        lines = self._painter.lines(
            progress, now=time.time(), started=self._started, width=self._size().columns, height=0
        )
        self._replace(lines)
        self._rows = 0

    def _replace(self, lines: list[str]) -> None:
        up = f"\x1b[{self._rows}A" if self._rows else ""
        text = "".join(f"\x1b[2K{line}\r\n" for line in lines)
        self._out.write(f"\x1b[?2026h\x1b[?7l{up}\r{text}\x1b[J\x1b[?7h\x1b[?2026l")
        self._out.flush()
        self._rows = len(lines)
        self._painted = time.monotonic()

    def _size(self) -> os.terminal_size:
        try:
            return os.get_terminal_size(self._out.fileno())
        except OSError:
            return os.terminal_size((80, 24))


def summary_time(seconds: float) -> str:
    """Return a time for a sentence."""
    return clock(seconds) or f"{seconds * 1000:.0f} ms"
