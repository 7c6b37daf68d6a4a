from __future__ import annotations

from collections import Counter

import pytest

from pyd_tui.dashboard.app import Dashboard
from pyd_tui.dashboard.keymap import KEYMAP, Scope
from pyd_tui.dashboard.panels.logs import LogPane
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.screens.browse import Browse
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.engines import Engines
from pyd_tui.dashboard.screens.line import LineScreen
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.widgets.lines import Lines
from pyd_tui.dashboard.widgets.table import Table

HOLDERS: dict[Scope, tuple[type, ...]] = {
    "containers": (Main,),
    "move": (Table, Lines, LogView),
    "text": (Lines, LogPane),
    "detail": (Detail,),
    "browse": (Browse,),
    "views": (Main, Browse),
    "engines": (Engines,),
    "log": (LogScreen,),
    "line": (LineScreen,),
    "everywhere": (Main, Detail, Browse, LogScreen, LineScreen, Engines),
}


@pytest.mark.parametrize("scope", KEYMAP)
def test_every_key_calls_something_that_exists(scope: Scope):
    for key in KEYMAP[scope]:
        name = key.action.partition("(")[0]
        holders = (Dashboard,) if name.startswith("app.") else HOLDERS[scope]
        for holder in holders:
            assert hasattr(holder, f"action_{name.removeprefix('app.')}"), (holder, key.action)


@pytest.mark.parametrize(
    "scopes",
    [
        ("containers", "views", "everywhere"),
        ("detail", "everywhere"),
        ("browse", "views", "everywhere"),
        ("move", "text"),
        ("containers", "views", "move"),
        ("browse", "views", "move"),
        ("engines", "move", "everywhere"),
        ("log", "move", "everywhere"),
        ("line", "move", "text", "everywhere"),
    ],
)
def test_no_key_means_two_things_in_one_place(scopes: tuple[Scope, ...]):
    used = Counter(name for scope in scopes for key in KEYMAP[scope] for name in key.keys)
    assert [name for name, times in used.items() if times > 1] == []
