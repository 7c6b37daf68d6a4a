"""Notices, questions and progress of lengthy commands, on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from pyd_core.sanitise import safe


def notify(line: str) -> None:
    """Write a notice to the user."""
    sys.stderr.write(f"pyd: {safe(line)}\n")
    sys.stderr.flush()


def answer(question: str) -> str:
    """Ask the user a question and return the reply; it is empty after ctrl-c."""
    sys.stderr.write(f"pyd: {safe(question)}")
    sys.stderr.flush()
    try:
        return sys.stdin.readline()
    except KeyboardInterrupt:
        return ""


class TerminalIO:
    """The `UserIO` of a command line: notices and progress on stderr, questions where stdin and stdout are terminals.

    Args:
        asks: Let it ask questions.
    """

    def __init__(self, *, asks: bool = True) -> None:
        self.progress = ProgressReporter()
        self.notify = notify
        self._asks = asks

    @property
    def ask(self) -> Callable[[str], str] | None:
        """See `UserIO`."""
        return answer if self._asks and os.isatty(0) and os.isatty(1) else None

    def stop(self) -> None:
        """Remove the progress bar."""
        self.progress.stop()


class ProgressReporter:
    """Progress of building the toolbox or copying files: a bar on a terminal, a line per stage elsewhere."""

    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show the progress of a stage, and end the bar with it: later output may need the terminal."""
        if not sys.stderr.isatty():
            if stage != self._stage:
                notify(stage)
            self._stage = stage
            return
        if self._bar is None:
            self._bar = _Bar()
        self._bar.show(stage, done, total)
        if done >= total:
            self.stop()

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _Bar:
    """A rich progress bar with a row per stage."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<36}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
        self._rows: dict[str, object] = {}
        self._progress.start()

    def show(self, stage: str, done: int, total: int) -> None:
        """Update the row of a stage."""
        if stage not in self._rows:
            self._rows[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._rows[stage], completed=done, total=total)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Remove the bar from the screen."""
        self._progress.stop()
