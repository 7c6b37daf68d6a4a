"""What verbs that take their time tell the user beside what they print, and what they ask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from pyd_core.sanitise import safe


def notify(line: str) -> None:
    """Tells the user a line."""
    sys.stderr.write(f"pyd: {safe(line)}\n")
    sys.stderr.flush()


def answer(question: str) -> str:
    """Asks the user and returns what is typed; nothing when that is interrupted."""
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
    """How the making of the toolbox goes, or the copying of files: a bar on a terminal, a line a stage elsewhere."""

    def __init__(self) -> None:
        self._bar: _Bar | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Takes how far a stage is; the bar ends with its stage: what comes next may need the terminal."""
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
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _Bar:
    """A rich progress bar, a row a stage."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<36}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
        self._rows: dict[str, object] = {}
        self._progress.start()

    def show(self, stage: str, done: int, total: int) -> None:
        """Moves a stage's row."""
        if stage not in self._rows:
            self._rows[stage] = self._progress.add_task(stage, total=total)
        self._progress.update(self._rows[stage], completed=done, total=total)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Removes the bar from the screen."""
        self._progress.stop()
