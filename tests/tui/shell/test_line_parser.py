"""Parsing of lines for builtins and completion."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyd_tui.shell.line_parser import BuiltinCall, parse_call, position_at_end, quote, tokens, unquote

NAMES = {"ps", "get"}


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("ps", BuiltinCall("ps", ())),
        ("  ps --json ", BuiltinCall("ps", ("--json",))),
        ("get 'a b' \"c d\" e\\ f", BuiltinCall("get", ("a b", "c d", "e f"))),
        ("ps | grep x | wc -l", BuiltinCall("ps", (), "|", "grep x | wc -l")),
        ("ps --json>/tmp/x", BuiltinCall("ps", ("--json",), ">", "/tmp/x")),
        ("ps && ls; x", BuiltinCall("ps", (), "&&", "ls; x")),
        ("get 'a|b' ; ls", BuiltinCall("get", ("a|b",), ";", "ls")),
        ("ps # a comment", BuiltinCall("ps", ())),
        ("ps\n", BuiltinCall("ps", ())),
        ("get ''", BuiltinCall("get", ("",))),
    ],
)
def test_a_builtins_call_is_parsed(line: str, call: BuiltinCall):
    assert parse_call(line, NAMES) == call


@pytest.mark.parametrize("line", ["", "ls", "\\ps", "'ps'", "@ps", "X=1 ps", "| ps", "ps() { :; }", "psx", "ls; ps"])
def test_other_lines_go_to_bash(line: str):
    assert parse_call(line, NAMES) is None


def test_an_open_quote_is_left_to_bash():
    with pytest.raises(ValueError, match="quotation"):
        parse_call("get 'x", NAMES)


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_a_quoted_text_is_one_word_and_unquotes_to_itself(text: str):
    if text.isprintable() and text:
        assert shlex.split(quote(text)) == [text]
        assert unquote(quote(text)) == text
        assert len([token for token in tokens(quote(text)) if not token.operator]) == 1
    assert quote(text).isprintable()


@given(st.text(alphabet=" ab'\"\\|&;<>()$#\n~/="))
def test_every_line_can_be_parsed(line: str):
    for token in tokens(line):
        assert line.startswith(token.text, token.start)
    position_at_end(line)


@pytest.mark.parametrize(
    ("line", "before", "text", "opening", "redirected"),
    [
        ("", (), "", "", False),
        ("ca", (), "ca", "", False),
        ("cat /e", ("cat",), "/e", "", False),
        ("cat /e ", ("cat", "/e"), "", "", False),
        ("cat 'a b", ("cat",), "a b", "'", False),
        ("cat a\\ b", ("cat",), "a b", "", False),
        ("ls | gr", (), "gr", "", False),
        ("X=1 cat f", ("cat",), "f", "", False),
        ("echo >/tm", ("echo",), "/tm", "", True),
        ("a && b 'c' d", ("b", "c"), "d", "", False),
    ],
)
def test_the_word_at_the_cursor(line: str, before: tuple[str, ...], text: str, opening: str, redirected: bool):
    position = position_at_end(line)
    assert (position.before, position.text, position.opening, position.redirected) == (
        before,
        text,
        opening,
        redirected,
    )
