"""Strings and characters quoted as Go does."""

from __future__ import annotations

import pytest

from pyd_core.gosyntax.quoting import quote, quote_character


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a b", '"a b"'),
        ('q"\\', '"q\\"\\\\"'),
        ("\n\t\x00\x7f", '"\\n\\t\\x00\\x7f"'),
        ("é\u200b\xa0", '"é\\u200b\\u00a0"'),
        ("\U000e0001", '"\\U000e0001"'),
    ],
)
def test_strings_are_quoted_as_go_does(text: str, quoted: str):
    assert quote(text) == quoted


@pytest.mark.parametrize(
    ("code", "quoted"), [(0, "'\\x00'"), (3, "'\\x03'"), (10, "'\\n'"), (65, "'A'"), (39, "'\\''")]
)
def test_numbers_are_quoted_as_characters(code: int, quoted: str):
    assert quote_character(code) == quoted
