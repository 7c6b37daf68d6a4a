"""Texts of containers and engines that take a backtracking matcher the square of their length."""

from __future__ import annotations

import pytest

from pyd_core.client.transport.head import HeadDecoder
from pyd_core.debug.inspectors.variables import MASK, mask
from pyd_core.logs.fields import parse_fields

pytestmark = pytest.mark.timeout(20)
"""Each of these took minutes in version 0.1."""


def test_a_variable_of_one_long_word_is_searched_for_passwords():
    assert mask("A", "a" * 200_000) == "a" * 200_000
    assert mask("A", "1http://u:secret@host, b+c://:word@h") == f"1http://u:{MASK}@host, b+c://:{MASK}@h"


def test_a_line_of_one_long_word_has_no_fields():
    assert parse_fields(b"a=1 " + b"b" * 250_000) is None


def test_a_header_of_blanks_is_read():
    head = HeadDecoder().feed(b"HTTP/1.1 200 OK\r\nA: \tx" + b" " * 30_000 + b"y \r\n\r\n")
    assert head is not None
    assert head.headers == {"a": "x" + " " * 30_000 + "y"}
