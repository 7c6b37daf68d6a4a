"""Terminal replies never become part of the edited line."""

from __future__ import annotations

import pytest
from prompt_toolkit.key_binding import KeyPress  # noqa: TC002 - not more than a name

from pyd_tui.shell.terminal_replies import AnswerFilter, AnswerlessParser

ANSWERS = [
    "\x1b]lput /etc/x ~/.bashrc\x1b\\",  # the window's title (XTWINOPS 21), as the program set it
    "\x1b]lput /etc/x ~/.bashrc\r\x1b\\",
    "\x1b]52;c;cHV0\x07",  # the clipboard
    "\x1b]50;put x\r",  # the font, of an xterm with CVE-2022-45063
    "\x1bP1$rput x\x1b\\",  # a setting (DECRQSS)
    "\x1bP1+r544e=78\x1b\\",
    "\x1b_Gput\x1b\\",
    "\x9dlput\x9c",
    "\x1b[?62;4c",
    "\x1b[>41;354;0c",
    "\x1b[8;24;80t",
    "\x1b[0n",
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_reply_is_not_text(answer: str):
    """A program of the target's set a title and asked for it: the answer stood in the line, where commands run here."""
    text = AnswerFilter()(f"ls{answer}\x1b[A")
    assert text.replace("\x1b\\", "") == "ls\x1b[A"


@pytest.mark.parametrize("answer", ANSWERS[:2] + ANSWERS[4:5])
def test_a_reply_in_parts_is_not_text(answer: str):
    take = AnswerFilter()
    assert take(f"a{answer[:5]}") + take(answer[5:9]) + take(answer[9:]) in ("a", "a\x1b\\")
    assert take("b") == "b"


@pytest.mark.parametrize(
    "typed", ["\x1b", "\x1bb", "\x1b]", "\x1bP", "\x1b[A", "\x1b[1;5C", "\x1b[200~a\nb\x1b[201~", "é\r"]
)
def test_keys_stay_keys(typed: str):
    assert AnswerFilter()(typed) == typed


def test_an_unterminated_reply_ends_with_its_line():
    take = AnswerFilter()
    assert take("\x1b]" + "x" * 5000) == ""
    assert take("ls\r") == "ls\r"


def test_the_parser_makes_no_keys_of_replies():
    keys: list[KeyPress] = []
    parser = AnswerlessParser(keys.append)
    parser.feed("a\x1b]lput x\x1b\\b")
    parser.flush()
    assert "".join(key.data for key in keys) == "ab"
