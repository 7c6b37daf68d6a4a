"""The page of the everyday tasks; `nox -s everyday` does them."""

from __future__ import annotations

from pathlib import Path

from everyday.page import page
from everyday.tasks import TASKS, count

PAGE = Path(__file__).parents[2] / "docs/development/everyday-tasks.md"


def test_the_page_has_the_counts_of_the_tasks():
    assert PAGE.read_text() == page()


def test_no_task_takes_more_keys_than_in_version_0_1():
    assert [task.name for task in TASKS if task.before is not None and count(task.keys) > task.before] == []
