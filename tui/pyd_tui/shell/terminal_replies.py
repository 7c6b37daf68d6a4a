"""Answers of the terminal, kept out of the line that is edited.

A program in the target may ask the terminal for its title, its clipboard or a setting. Some terminals answer with text
that the program chose, as if it were typed, and the answer may come when the program has ended: the line editor, where
commands of this machine run, would take it for the user's.
"""

from __future__ import annotations

import re

from prompt_toolkit.input.vt100_parser import Vt100Parser

_MAX_ANSWER_CHARACTERS = 4096
_BEGIN = re.compile(r"\x1b[\]P_^X](?=.)|[\x90\x98\x9d\x9e\x9f]", re.DOTALL)
"""How control strings begin (OSC, DCS, APC, PM, SOS), with more after it: alone it is a key with Alt."""
_END = re.compile(r"\x07|\x1b\\|\x9c|[\r\n]")
"""How they end. Nobody's answer has a line's end; whoever gave one with it is not to enter a line."""
_REPORT = re.compile(r"\x1b\[[?>=]?[0-9;]*[cntyx]|\x1b\[[?>=]?[0-9;]+[$]y")
"""Reports of the device, its status, its window and its modes (DA, DSR, XTWINOPS, DECRPM)."""


class AnswerFilter:
    """Takes answers out of what is typed; one may come in parts."""

    def __init__(self) -> None:
        self._swallowed = -1

    def __call__(self, text: str) -> str:
        """Return what of a text was typed."""
        kept = []
        while text:
            if self._swallowed < 0:
                begin = _BEGIN.search(text)
                kept.append(_REPORT.sub("", text[: begin.start()] if begin else text))
                if begin is None:
                    break
                text, self._swallowed = text[begin.end() :], 0
            end = _END.search(text)
            self._swallowed += end.start() if end else len(text)
            if end is None and self._swallowed < _MAX_ANSWER_CHARACTERS:
                break
            text, self._swallowed = text[end.end() :] if end else "", -1
        return "".join(kept)


class AnswerlessParser(Vt100Parser):
    """Makes keys of what is typed, and nothing of what the terminal answers."""

    _answers: AnswerFilter | None = None

    def feed(self, data: str) -> None:
        """Take a text."""
        self._answers = self._answers or AnswerFilter()
        super().feed(self._answers(data))
