"""The keys that leave a session running."""

from __future__ import annotations

import pytest

from pyd_core.detach_keys import DEFAULT, DetachKeys, parse_option
from pyd_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "sent"),
    [(DEFAULT, b"\x10\x11"), ("ctrl-],x", b"\x1dx"), ("ctrl-@", b"\x00"), ("ctrl-_,ctrl-a", b"\x1f\x01")],
)
def test_keys_are_written_as_docker_writes_them(text: str, sent: bytes):
    assert parse_option(text) == sent


@pytest.mark.parametrize("text", ["", "ctrl-", "ctrl-P", "ctrl-ab", "alt-x", "a,,b", "é"])
def test_a_malformed_key_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_option(text)


def test_split_keys_are_found_and_not_forwarded():
    assert DetachKeys(b"\x10\x11").feed(b"ab\x10\x11cd") == (b"ab", True)
    keys = DetachKeys(b"\x10\x11")
    assert keys.feed(b"ab\x10") == (b"ab", False)
    assert keys.feed(b"\x11") == (b"", True)


def test_a_broken_off_prefix_is_forwarded_in_order():
    keys = DetachKeys(b"\x10\x11")
    passed = b"".join(keys.feed(piece)[0] for piece in (b"a\x10", b"\x10", b"b", b"\x11\x10c"))
    assert passed == b"a\x10\x10b\x11\x10c"
