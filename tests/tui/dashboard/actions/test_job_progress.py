from __future__ import annotations

from pyd_core.model.progress import Progress, ProgressDetail
from pyd_tui.dashboard.actions.image_pull import PullLayers
from pyd_tui.dashboard.actions.job_progress import Jobs, bar
from pyd_tui.dashboard.render.pieces import Cell


def text(cell: Cell) -> str:
    return "".join(piece.text for piece in cell)


def progress(layer: str, status: str, current: int = 0, total: int = 0) -> Progress:
    return Progress(id=layer, status=status, progress_detail=ProgressDetail(current=current, total=total))


def test_a_pull_counts_downloaded_bytes_of_all_layers_and_never_decreases():
    layers = PullLayers()
    layers.add(progress("a", "Downloading", 10, 100))
    layers.add(progress("b", "Downloading", 50, 50))
    layers.add(progress("c", "Already exists"))
    assert (layers.done, layers.total) == (60, 150)
    layers.add(progress("a", "Download complete"))
    layers.add(progress("a", "Extracting", 1, 400))
    assert (layers.done, layers.total) == (150, 150)


def test_the_oldest_of_several_jobs_is_shown_with_its_bar():
    changes: list[int] = []
    jobs = Jobs(lambda: changes.append(1))
    assert text(jobs.shown) == ""
    jobs.update("one", 30, 100)
    jobs.update("two")
    assert text(jobs.shown) == "one ▰▰▰▱▱▱▱▱▱▱  30% +1"
    jobs.end("one")
    assert text(jobs.shown) == "two …"
    jobs.end("two")
    jobs.end("two")
    assert len(changes) == 4
    assert text(bar(5, 0)) == "5B"
    assert text(bar(200, 100)).endswith("100%")
