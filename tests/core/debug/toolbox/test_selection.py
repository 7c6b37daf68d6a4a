"""A user's selection of packs and packages, and its effects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyd_core.debug.toolbox import manage, store
from pyd_core.debug.toolbox.apt import unknown
from pyd_core.debug.toolbox.manage import install, uninstall
from pyd_core.debug.toolbox.selection import FILE, Selection, load_selection, save_selection
from pyd_core.debug.toolbox.wheels import _installed_path
from pyd_core.errors import ConfigError, Conflict, InvalidInput, NotFound, ToolboxError
from pyd_debugimages.packs import BASE, PACKS, combine


def nothing(*_: object) -> None:
    """Read no progress."""


def test_packs_combine_to_one_that_is_named_by_them_whatever_their_order():
    both = combine(["net", "db"], ["zsh"])
    assert both == combine(["db", "net"], ["zsh"])
    assert both.name == "base,db,net,=zsh"
    assert {*BASE.packages, *PACKS["net"].packages, "zsh"} <= {*both.packages}
    assert both.arguments == {**BASE.arguments, **PACKS["net"].arguments}
    assert Selection().pack() is BASE
    assert Selection(packs=("gone",), packages=("zsh",)).pack().name == "base,=zsh"


def test_a_choice_is_kept_and_one_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    assert load_selection() == Selection()
    save_selection(Selection().adding(["net", "zsh", "base", "net"]))
    assert load_selection() == Selection(packs=("net",), packages=("zsh",))
    assert load_selection().without(["zsh", "net"]) == Selection()
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ConfigError):
        load_selection()


def test_what_makes_no_sense_is_refused_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    for name in ("-y", "Zsh", "a b", "../x", "zsh/stable"):
        with pytest.raises(InvalidInput):
            install([name], nothing)
    with pytest.raises(NotFound):
        uninstall(["net"], nothing)
    with pytest.raises(Conflict):
        uninstall(["base"], nothing)
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_names_are_offered():
    assert unknown("netw", ["net", "zsh"]).nearest == ("net",)


def test_a_wheel_reaches_nothing_outside():
    assert _installed_path("debugpy/__main__.py") == "lib/python3/dist-packages/debugpy/__main__.py"
    assert _installed_path("py_spy-0.4.data/scripts/py-spy") == "bin/py-spy"
    assert {
        _installed_path(name) for name in ("../x", "/etc/x", "a/../../x", "x.dist-info/RECORD", "x.data/data/y")
    } == {""}


def test_a_toolbox_is_carried_to_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key, tar = "a1" * 16, tmp_path / "tools.tar.gz"
    here, there = tmp_path / "here", tmp_path / "there"
    (here / key / "bin").mkdir(parents=True)
    (here / key / "bin/bash").write_bytes(b"a program")
    (here / key / "bin/bash").chmod(0o755)
    (here / key / "bin/sh").symlink_to("bash")
    (here / store.pointer(BASE)).symlink_to(key)
    monkeypatch.setenv("PYD_TOOLBOX", str(here))
    assert manage.export(tar, nothing) == "base"
    monkeypatch.setenv("PYD_TOOLBOX", str(there))
    assert manage.import_archive(tar, nothing) == "base"
    (stored,) = manage.list_stored()
    assert (stored.name, stored.current, stored.directory) == ("base", True, str(there / key))
    assert ((there / key / "bin/sh").read_bytes(), (there / key / "bin/bash").stat().st_mode & 0o777) == (
        b"a program",
        0o755,
    )
    kept = there / ".apt/cache/archives/bash.deb"
    kept.parent.mkdir(parents=True)
    kept.touch()
    manage.remove("base")
    assert manage.list_stored() == []
    assert not kept.exists()  # there is no toolbox any more that has most packages of the next one
    tar.write_bytes(b"no tar")
    with pytest.raises(ToolboxError):
        manage.import_archive(tar, nothing)
    assert not list(there.glob(".building*"))


def test_a_toolbox_for_another_machine_is_stored_next_to_this_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = os.uname().machine
    other = "x86_64" if own == "aarch64" else "aarch64"
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path / "here"))
    for key, machine in (("a1" * 16, own), ("b2" * 16, other)):
        (tmp_path / "here" / key / "bin").mkdir(parents=True)
        (tmp_path / "here" / store.pointer(BASE, machine)).symlink_to(key)
    assert {toolbox.machine: toolbox.current for toolbox in manage.list_stored()} == {own: True, other: True}
    assert str(store.find_anywhere(BASE, other)).endswith("b2" * 16)
    assert str(store.find_anywhere(BASE)).endswith("a1" * 16)
    assert manage.export(tmp_path / "other.tar.gz", nothing, other) == "base"
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path / "there"))
    manage.import_archive(tmp_path / "other.tar.gz", nothing)
    assert store.find_anywhere(BASE) is None
    assert str(store.find_anywhere(BASE, other)).endswith("b2" * 16)
    with pytest.raises(ToolboxError) as caught:
        manage.export(tmp_path / "own.tar.gz", nothing, own)
    assert f"pyd toolbox build --machine {own}" in caught.value.hint
