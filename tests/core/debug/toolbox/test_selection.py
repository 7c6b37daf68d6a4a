"""What a user has chosen of packs and packages, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.debug.toolbox.apt import unknown
from pyd_core.debug.toolbox.manage import install, uninstall
from pyd_core.debug.toolbox.selection import FILE, Selection, chosen, keep
from pyd_core.debug.toolbox.wheels import _place
from pyd_core.errors import ConfigError, Conflict, InvalidInput, NotFound
from pyd_debugimages.packs import BASE, PACKS, combine


def nothing(*_: object) -> None:
    """Hears no progress."""


def test_packs_combine_to_one_that_is_named_by_them_whatever_their_order():
    both = combine(["net", "db"], ["zsh"])
    assert both == combine(["db", "net"], ["zsh"])
    assert both.name == "base,db,net,=zsh"
    assert {*BASE.packages, *PACKS["net"].packages, "zsh"} <= {*both.packages}
    assert both.arguments == PACKS["net"].arguments
    assert Selection().pack() is BASE
    assert Selection(packs=("gone",), packages=("zsh",)).pack().name == "base,=zsh"


def test_a_choice_is_kept_and_one_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    assert chosen() == Selection()
    keep(Selection().adding(["net", "zsh", "base", "net"]))
    assert chosen() == Selection(packs=("net",), packages=("zsh",))
    assert chosen().without(["zsh", "net"]) == Selection()
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ConfigError):
        chosen()


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
    assert _place("debugpy/__main__.py") == "lib/python3/dist-packages/debugpy/__main__.py"
    assert _place("py_spy-0.4.data/scripts/py-spy") == "bin/py-spy"
    assert {_place(name) for name in ("../x", "/etc/x", "a/../../x", "x.dist-info/RECORD", "x.data/data/y")} == {""}
