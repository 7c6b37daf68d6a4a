"""Paths of a package's files in the toolbox, and the patches of its texts."""

from __future__ import annotations

import posixpath
from pathlib import Path

import pytest

from pyd_core.debug.toolbox import store
from pyd_core.debug.toolbox.relocate import string_patches
from pyd_core.debug.toolbox.unpack import flat, flat_link
from pyd_core.errors import ToolboxError
from pyd_debugimages.packs import BASE


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("./usr/bin/curl", "bin/curl"),
        ("./bin/bash", "bin/bash"),
        ("./usr/", ""),
        ("./lib64/ld.so", "lib64/ld.so"),
        ("/usr/lib/../lib/x", "lib/x"),
        ("../../etc/shadow", "etc/shadow"),
    ],
)
def test_usr_is_dropped_and_nothing_leaves_the_folder(path: str, expected: str):
    assert flat(path) == expected


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("./usr/bin/awk", "/etc/alternatives/awk"),
        ("./usr/lib/x86_64-linux-gnu/libz.so", "../../../lib/x86_64-linux-gnu/libz.so.1"),
        ("./usr/bin/vim", "vim.basic"),
        ("./lib64/ld.so", "/lib/x86_64-linux-gnu/ld.so"),
        ("./usr/bin/out", "../../../../../../etc/shadow"),
    ],
)
def test_links_become_relative_and_mean_the_same(path: str, target: str):
    link = flat_link(path, target)
    assert not link.startswith("/")
    meant = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target))
    assert posixpath.normpath(posixpath.join("/", posixpath.dirname(flat(path)), link)) == "/" + flat(meant)


@pytest.mark.parametrize("triplet", ["x86_64-linux-gnu", "aarch64-linux-gnu"])
def test_no_replacement_in_a_program_is_longer_than_what_it_replaces(triplet: str):
    patches = [pair for pairs in string_patches(triplet).values() for pair in pairs]
    assert len(patches) == 6
    assert all(len(new) == len(old) or (len(new) < len(old) and new.endswith(b"\0")) for old, new in patches)
    system, away = patches[2]
    assert [len(part) for part in system.split(b"\0")] == [len(part) for part in away.split(b"\0")]


def test_without_apt_and_without_a_toolbox_the_next_step_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolboxError) as caught:
        store.build(BASE, tmp_path / "store", lambda *_: None)
    assert caught.value.reference == "toolbox-no-apt"
    assert caught.value.hint
    assert store.find(BASE, str(tmp_path / "store")) is None
