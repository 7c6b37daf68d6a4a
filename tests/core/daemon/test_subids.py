"""The ids of `userns-remap`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.daemon.subids import find, parse
from pyd_core.errors import ConfigError
from pyd_core.linux.userns import IdMap, IdRange, of_any_root, of_root


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Files of subordinate ids: of users, and of groups."""
    users, groups = tmp_path / "subuid", tmp_path / "subgid"
    users.write_text("other:1000000:65536\nroot:100000:65536\n")
    groups.write_text("root:200000:65536\ndaemon:300000:70000\n")
    return users, groups


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("root", IdRange(0, 200000, 65536)),
        ("0", IdRange(0, 200000, 65536)),
        ("root:daemon", IdRange(0, 300000, 70000)),
        ("0:1", IdRange(0, 300000, 70000)),
        ("root:bin", IdRange(0, 200000, 65536)),  # by the user's name, as subgid(5) has it
    ],
)
def test_users_and_groups_are_named_or_numbered(files: tuple[Path, Path], text: str, group: IdRange):
    ids = find(text, users=files[0], groups=files[1])
    assert ids == IdMap(users=(IdRange(0, 100000, 65536),), groups=(group,))


def test_lines_may_name_the_user_by_number(files: tuple[Path, Path]):
    for file in files:
        file.write_text("0:100000:65536\n")
    assert find("root", users=files[0], groups=files[1]).users == (IdRange(0, 100000, 65536),)


def test_several_ranges_are_laid_one_after_the_other_the_lowest_first(files: tuple[Path, Path]):
    files[0].write_text("root:500000:40000\n\n# a remark\nroot:100000:30000\n")
    ids = find("root", users=files[0], groups=files[1])
    assert ids.users == (IdRange(0, 100000, 30000), IdRange(30000, 500000, 40000))


@pytest.mark.parametrize(
    ("text", "lines", "words"),
    [
        ("", "", "not a user"),
        (":", "", "not a user"),
        ("root:", "", "not a user"),
        ("root:daemon:x", "", "not a user"),
        ("no such user", "", "there is no user"),
        ("99999999999999999999", "", "there is no user"),
        ("root:no such group", "", "there is no group"),
        ("root", "", "has no ids for root"),
        ("root", "roots:100000:65536", "has no ids for root"),
        ("root", "root:100000:65535", "fewer than 65536"),
        ("root", "root:0:65536", "root's id, or one twice"),
        ("root", "root:100000:65536\nroot:110000:65536", "root's id, or one twice"),
        ("root", "root:4294967000:65536", "root's id, or one twice"),
        ("root", "root:100000", "not a range of ids"),
        ("root", "root:-5:65536", "not a range of ids"),
    ],
)
def test_invalid_files_are_reported_with_a_remedy(files: tuple[Path, Path], text: str, lines: str, words: str):
    files[0].write_text(lines)
    with pytest.raises(ConfigError, match=words) as caught:
        find(text, users=files[0], groups=files[1])
    assert caught.value.hint


def test_a_file_that_is_not_there_has_no_ids(tmp_path: Path):
    with pytest.raises(ConfigError, match="has no ids for root"):
        find("root", users=tmp_path / "subuid", groups=tmp_path / "subgid")


def test_damaged_lines_of_others_are_passed_over():
    assert parse("other:x\nmine:7:8\n:::\n", ["mine"]) == [(7, 8)]


def test_file_capabilities_are_bound_to_one_root_and_back():
    """The structures of linux/capability.h."""
    any_root = bytes([1, 0, 0, 2, *range(16)])
    owned = of_root(any_root, 100000)
    assert owned == bytes([1, 0, 0, 3, *range(16), 0xA0, 0x86, 1, 0])
    assert of_root(owned, 7) == owned
    assert of_any_root(owned) == of_any_root(any_root) == any_root


def test_ids_are_translated_there_and_back():
    ids = IdMap(users=(IdRange(0, 1000, 10), IdRange(10, 5000, 10)), groups=(IdRange(0, 2000, 5),))
    assert ids.outside(12, 4) == (5002, 2004)
    assert ids.inside(5002, 2004) == (12, 4)
    assert ids.outside(20, 0) is None
    assert ids.outside(0, 5) is None
    assert ids.inside(0, 2005) == (65534, 65534)
    assert not ids.plain
    every = IdRange(0, 0, (1 << 32) - 1)
    assert IdMap(users=(every,), groups=(every,)).plain
