import os
import pty
import sys
import threading

import pytest

from pyd_tui.cli.telling import Making


def test_a_bar_leaves_the_terminal_to_others_once_its_stage_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    before = threading.active_count()
    making = Making()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        making("copying", 1, 2)
        assert threading.active_count() > before, "it draws by itself"
        making("copying", 2, 2)
        assert threading.active_count() == before
        making("unpacking", 0, 1)
        assert threading.active_count() > before
        making.stop()
        assert threading.active_count() == before
    os.close(ours)
