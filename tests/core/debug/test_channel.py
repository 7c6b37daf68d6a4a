"""Reports of a bash next to its terminal; all of it may be a lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyd_core.debug.channel import ASKS, JoinReport, Reports, line_message

WHOLE = b"r\0c3\0d/a b\nc\0u1000\0h/home\0p/bin:/x\0j12\n13\n\0vPATH\nHOME\n__pyd_code\n\0fll\n__pyd_next\n\0\0"


def test_a_report_is_read_in_whatever_pieces_it_comes():
    report = JoinReport(3, "/a b\nc", 1000, "/home", "/bin:/x", 2, ("PATH", "HOME"), ("ll",))
    assert Reports().feed(WHOLE) == [report]
    reports = Reports()
    assert [message for byte in WHOLE for message in reports.feed(bytes([byte]))] == [report]


def test_a_question_and_a_report_are_told_apart():
    assert Reports().feed(b"s\0\0" + WHOLE)[0] == ASKS


def test_lies_are_taken_for_nothing_worse_than_an_empty_report():
    reports = Reports()
    assert reports.feed(b"r\0c-1\0d../x\0u99999999999999\0j\0\0") == [JoinReport()]
    assert reports.feed(b"nonsense\0\0\0\0") == []
    assert reports.feed(b"x" * (1 << 20)) == []
    assert reports.feed(b"\0\0" + WHOLE)[-1].cwd == "/a b\nc"  # type: ignore[union-attr]


@given(st.binary())
def test_any_bytes_are_survived(data: bytes):
    for message in Reports().feed(data + b"\0\0"):
        assert message == ASKS or (isinstance(message, JoinReport) and message.cwd.startswith("/"))


def test_a_line_is_one_message_whatever_is_in_it():
    assert line_message(b"echo a\0b\nc") == b"Lecho ab\nc\0"
