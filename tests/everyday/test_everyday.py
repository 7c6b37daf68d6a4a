"""Ten everyday tasks by keyboard and by mouse, in a real terminal on a real engine."""

from __future__ import annotations

import pytest

from everyday.tasks import TASKS, Click, Keys, Shown, Step, Task, Text
from support.terminal import Terminal


def perform(terminal: Terminal, steps: tuple[Step, ...]) -> None:
    for step in steps:
        match step:
            case Keys(names):
                for name in names:
                    terminal.keys(name)
            case Text(text):
                terminal.type(text)
            case Click(text, button, times):
                terminal.click(text, button=button, times=times)
            case Shown(text):
                terminal.wait_for(text)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_by_keyboard(dashboard: Terminal, task: Task):
    perform(dashboard, task.keys)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_by_mouse(dashboard: Terminal, task: Task):
    perform(dashboard, task.mouse)
