"""Fixtures of the terminal programs' tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def terminal_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal is one that knows the clipboard, whatever the tests themselves run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
