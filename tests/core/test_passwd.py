from __future__ import annotations

import pytest

from pyd_core.passwd import find_home, is_id, split_rows

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nshort:x:7\nweb:x:33:33:web:/srv/www:/bin/sh\nodd:x:9:9::srv:/bin/sh\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", True),
        ("4294967294", True),
        ("4294967295", False),
        ("", False),
        ("-1", False),
        ("²", False),
        ("9" * 5000, False),
    ],
)
def test_ids_are_bounded_ascii_numbers(text: str, expected: bool):
    assert is_id(text) is expected


def test_rows_that_are_too_short_are_left_out():
    assert [row[0] for row in split_rows(PASSWD.decode(), 7)] == ["root", "web", "odd"]


@pytest.mark.parametrize(("uid", "home"), [(0, "/root"), (33, "/srv/www"), (9, "/"), (7, "/"), (1000, "/")])
def test_a_home_is_an_absolute_path_of_the_file(uid: int, home: str):
    assert find_home(PASSWD, uid, has_root=True) == home


def test_without_a_file_only_root_may_have_a_home():
    assert find_home(b"", 0, has_root=True) == "/root"
    assert find_home(b"", 0, has_root=False) == "/"
    assert find_home(b"", 33, has_root=True) == "/"
