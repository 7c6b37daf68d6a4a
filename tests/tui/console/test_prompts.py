import os
import pty
import sys
import threading

import pytest

from pyd_tui.console.prompts import ProgressReporter


def drawing() -> list[threading.Thread]:
    """Return the threads that still draw, after waiting for those that are ending."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in others:
        thread.join(1)
    return [thread for thread in others if thread.is_alive()]


def test_a_bar_releases_the_terminal_at_the_end_of_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    making = ProgressReporter()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        making("copying", 1, 2)
        assert drawing(), "the bar redraws on its own"
        making("copying", 2, 2)
        assert not drawing()
        making("unpacking", 0, 1)
        assert drawing()
        making.stop()
        assert not drawing()
    os.close(ours)
