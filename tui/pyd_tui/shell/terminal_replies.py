"""Filtering of terminal replies from the edited line.

A program in the target may query the terminal for its title, its clipboard or a setting. Some terminals reply with text
that the program chose, as if it were typed, and the reply may come after the program has ended. The line editor, which
runs commands on this machine, would take it for the user's input.
"""

from __future__ import annotations

import re

from prompt_toolkit.input.vt100_parser import Vt100Parser

_MAX_ANSWER_CHARACTERS = 4096
_BEGIN = re.compile(r"\x1b[\]P_^X](?=.)|[\x90\x98\x9d\x9e\x9f]", re.DOTALL)
"""Starts of control strings (OSC, DCS, APC, PM, SOS), with more after them: on its own it is a key with Alt."""
_END = re.compile(r"\x07|\x1b\\|\x9c|[\r\n]")
"""Ends of control strings. Real replies have no line break; a forged one must not enter a line."""
_REPORT = re.compile(r"\x1b\[[?>=]?[0-9;]*[cntyx]|\x1b\[[?>=]?[0-9;]+[$]y")
"""Reports of the device, its status, its window and its modes (DA, DSR, XTWINOPS, DECRPM)."""


class AnswerFilter:
    """Removes replies from typed text; a reply may come in parts."""

    def __init__(self) -> None:
        self._skipped = -1

    def __call__(self, text: str) -> str:
        """Return the part of a text that was typed."""
        kept = []
        while text:
            if self._skipped < 0:
                begin = _BEGIN.search(text)
                kept.append(_REPORT.sub("", text[: begin.start()] if begin else text))
                if begin is None:
                    break
                text, self._skipped = text[begin.end() :], 0
            end = _END.search(text)
            self._skipped += end.start() if end else len(text)
            if end is None and self._skipped < _MAX_ANSWER_CHARACTERS:
                break
            text, self._skipped = text[end.end() :] if end else "", -1
        return "".join(kept)


class AnswerlessParser(Vt100Parser):
    """Makes keys of typed text, and drops terminal replies."""

    _answers: AnswerFilter | None = None

    def feed(self, data: str) -> None:
        """Parse a text."""
        self._answers = self._answers or AnswerFilter()
        super().feed(self._answers(data))
