import unicodedata

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyd_core.sanitise import safe, safe_bytes

ATTACKS = {
    "clear screen": "\x1b[2J\x1b[H",
    "cursor up and overwrite": "\x1b[5A\rforged",
    "window title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x1b\\",
    "hyperlink": "\x1b]8;;http://evil.invalid\x1b\\text\x1b]8;;\x1b\\",
    "answer for the keyboard": "\x1b[6n\x1b[c\x1bZ",
    "device control": '\x1bP$q"p\x1b\\',
    "C1 control sequence": "\x9b2J",
    "C1 operating system command": "\x9d0;owned\x9c",
    "other character set": "\x1b(0\x0elqqk",
    "alternate screen": "\x1b[?1049h",
    "scroll region": "\x1b[1;2r\x1b[3L\x1bM",
    "new lines": "one\ntwo\r\nthree\x0b\x0c\x85\u2028",
    "backspaces": "true\x08\x08\x08\x08fake",
    "reset": "\x1bc",
    "colours with a catch": "\x1b[31;2J\x1b[31\x1b[2Jm",
    "endless parameters": "\x1b[" + "1;" * 10_000 + "m",
    "bidi": "user\u202e\u2066 admin\u2069\u2066\u061c\u200f",
    "invisible": "a\u200bb\u2060c\ufeffd\U000e0041\U000e0101",
}

BEFORE = ["first line", "second line"]
AFTER = ["line after", "last line"]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_screen_beyond_the_line_is_untouched(attack: str, colour: bool):
    screen = pyte.Screen(300, 10)
    stream = pyte.ByteStream(screen)
    shown = safe(attack, colour=colour)[:280] + ("\x1b[0m" if colour else "")
    stream.feed("\r\n".join([*BEFORE, shown, *AFTER]).encode())
    lines = [line.rstrip() for line in screen.display]
    assert lines[:2] == BEFORE
    assert lines[3:5] == AFTER
    assert lines[5:] == [""] * 5
    assert screen.title == ""
    assert (screen.cursor.y, screen.cursor.x) == (4, len(AFTER[-1]))


@given(st.text())
def test_nothing_but_tabs_and_characters_to_print_is_left(text: str):
    shown = safe(text)
    assert not {unicodedata.category(character) for character in shown.replace("\t", "")} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(character) for character in shown} & {
        *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }


@given(st.text())
def test_making_it_safe_twice_changes_nothing_more(text: str):
    assert safe(safe(text)) == safe(text)


@given(st.text())
def test_it_neither_adds_nor_removes_characters(text: str):
    assert len(safe(text)) == len(text)


@given(st.binary())
def test_any_bytes_become_text_that_is_safe(data: bytes):
    shown = safe_bytes(data)
    assert safe(shown) == shown
    assert "\x1b" not in shown


@given(st.text(st.sampled_from("\x1b[]0123456789;:mJ\x9b\x07a")))
def test_with_colour_no_escape_but_colour_is_left(text: str):
    shown = safe(text, colour=True)
    for part in shown.split("\x1b")[1:]:
        body, end, _ = part.partition("m")
        assert end == "m"
        assert body.startswith("[")
        assert set(body[1:]) <= set("0123456789;:")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 漢字 🐳 e\u0301 👩\u200d👩\u200d👧", "größe 漢字 🐳 e\u0301 👩\u200d👩\u200d👧"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\nb\x7f", "a␊b␡"),
        ("\udc80", "\ufffd"),
    ],
)
def test_what_is_shown_instead(text: str, shown: str):
    assert safe(text) == shown


def test_colour_passes_where_asked_for():
    assert safe("\x1b[1;38:5:208mred\x1b[m\x07", colour=True) == "\x1b[1;38:5:208mred\x1b[m␇"


def test_bytes_that_are_not_utf_8_are_replaced():
    assert safe_bytes(b"\xff\xfe ok \xe2\x82") == "\ufffd\ufffd ok \ufffd"
