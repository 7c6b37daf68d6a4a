"""The page of the everyday tasks."""

from __future__ import annotations

from pathlib import Path

from everyday.tasks import TASKS, count

HEAD = """# Everyday tasks, in keys and clicks

`nox -s everyday` does each task in a real terminal, on an engine with a Compose project, a crash loop and a finished
job, and writes this page. Keys are counted from the moment the list is on screen; typed letters count too. Where a
filter (`/worker`) leads to a container, a few arrow keys work too. Version 0.1 took clicks on rows only, so none of
the tasks could be done by mouse there.

| task | keys in 0.1 | keys | clicks |
|---|---|---|---|
"""
TAIL = """
* Version 0.1 had no filter for ports; the PORTS column shows them at 120 columns. So the task takes no click.
* A variable has to be typed, so the task "fix it" can't be done with the mouse only.
* In version 0.1 disk was freed view by view, because its System view reported nothing as unused.
"""


def page() -> str:
    """Return the page."""
    rows = [f"| {task.name} | {task.before or '-'} | {count(task.keys)} | {count(task.mouse)} |" for task in TASKS]
    return HEAD + "\n".join(rows) + "\n" + TAIL


def write_page(path: Path) -> None:
    """Write the page."""
    path.write_text(page())
