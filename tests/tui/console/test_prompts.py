import os
import pty
import sys
import threading

import pytest

from pyd_tui.console.prompts import ProgressReporter


def drawing() -> list[threading.Thread]:
    """The threads that draw and haven't been told to end; those that were are waited for."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in others:
        thread.join(1)
    return [thread for thread in others if thread.is_alive()]


def test_a_bar_leaves_the_terminal_to_others_once_its_stage_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    making = ProgressReporter()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        making("copying", 1, 2)
        assert drawing(), "by itself"
        making("copying", 2, 2)
        assert not drawing()
        making("unpacking", 0, 1)
        assert drawing()
        making.stop()
        assert not drawing()
    os.close(ours)
