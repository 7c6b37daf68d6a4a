"""Progress bars for transferred layers."""

from __future__ import annotations

from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from pyd_core.model.progress import Progress as LayerProgress
from pyd_core.sanitise import safe

MAX_BARS = 24
"""Bars shown: those in progress, and finished ones while there is room."""
DONE = frozenset({"Pull complete", "Already exists", "Pushed", "Layer already exists", "Loaded", "Mounted"})


class LayersReport:
    """A live display of layers; finished ones become a line of text."""

    def __init__(self, out: IO[str]) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[layer]}", style="dim"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            console=Console(file=out, highlight=False, markup=False, emoji=False),
            refresh_per_second=8,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, progress: LayerProgress) -> None:
        """Show the progress of a layer."""
        status = safe(progress.status)
        if progress.id not in self._tasks:
            if status.startswith("Pulling from") or (status in DONE and len(self._tasks) >= MAX_BARS):
                self.say(f"{progress.id}: {progress.status}")
                return
            self._tasks[progress.id] = self._progress.add_task(status, total=None, layer=safe(progress.id)[:12])
        task = self._tasks[progress.id]
        detail = progress.progress_detail
        if status in DONE:
            layer_task = self._progress.tasks[self._progress.task_ids.index(task)]
            total_bytes = layer_task.total or 1.0
            self._progress.update(task, description=status, total=total_bytes, completed=total_bytes)
        else:
            total = float(detail.total) if detail.total else None
            self._progress.update(task, description=status, total=total, completed=detail.current)

    def say(self, text: str) -> None:
        """Write a line above the bars."""
        self._progress.console.print(safe(text))
