"""The debug shell in a terminal, used as one uses it: a line, its answer, the next prompt."""

from __future__ import annotations

import re
from pathlib import Path

from support.terminal import Opener, Terminal

PROMPT = re.compile(r"^(● )?\S+ \([a-z]+\) \w+:\S* ?.*[#$]\s*\Z", re.MULTILINE)
"""A prompt with nothing behind it, at the end of the screen."""

STARTING = 120.0
"""Seconds for the first prompt; a busy machine with two cores is slow to start anything, helpers above all."""
TIMEOUT_S = 90.0
"""Seconds for anything else: the first builtin of a shell may start a helper container too."""


class DebugShell:
    """A `pyd debug` in a terminal of its own.

    Args:
        opener: The `terminal` fixture.
        pyd: The command.
        host: The engine.
        state: Where the shell keeps its histories.
        arguments: Of `pyd debug`.
    """

    def __init__(self, opener: Opener, pyd: Path, host: str, state: Path, *arguments: str) -> None:
        environment = {"DOCKER_HOST": host, "XDG_STATE_HOME": str(state), "NO_COLOR": ""}
        self.terminal: Terminal = opener([pyd, "debug", *arguments], (110, 40), environment)
        self.ready(STARTING)

    def ready(self, bound: float = TIMEOUT_S) -> str:
        """Wait for a prompt and return the screen."""
        return self.terminal.wait_for(PROMPT, bound)

    def line(self, text: str) -> None:
        """Type a line, or several that belong together, and send it."""
        for part in text.split("\n"):
            before = re.compile(re.escape(self.terminal.screen.rstrip()) + r"\s*\Z")
            self.terminal.type(part)
            if part:  # until it is echoed, the prompt before it looks like the one behind it
                self.terminal.wait_gone(before, TIMEOUT_S)
            self.terminal.keys("Enter")

    def ask(self, text: str, answer: str) -> str:
        """Send a line and wait for its answer, a regular expression for whole lines, and the next prompt."""
        self.ready()
        self.line(text)
        self.terminal.wait_for(re.compile(f"^{answer}$", re.MULTILINE), TIMEOUT_S)
        return self.ready()
