from __future__ import annotations

from collections import Counter

import pytest

from pyd_tui.dashboard.app import Dashboard
from pyd_tui.dashboard.input.key_bindings import TOGETHER, Keys, key_name
from pyd_tui.dashboard.input.keymap import KEYMAP, Scope
from pyd_tui.dashboard.panels.document import DocumentPane
from pyd_tui.dashboard.panels.files import FilesPane
from pyd_tui.dashboard.panels.log_panel import LogPanel
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.panels.processes import ProcessesPane
from pyd_tui.dashboard.panels.why import WhyPane
from pyd_tui.dashboard.screens.browse import Browse
from pyd_tui.dashboard.screens.columns import ColumnChooser
from pyd_tui.dashboard.screens.confirm import Confirm
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.engines import Engines
from pyd_tui.dashboard.screens.file import FileScreen
from pyd_tui.dashboard.screens.form import Form
from pyd_tui.dashboard.screens.help import Help
from pyd_tui.dashboard.screens.line import LineScreen
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.screens.menu import Menu
from pyd_tui.dashboard.screens.next_steps import NextSteps
from pyd_tui.dashboard.screens.output import Output
from pyd_tui.dashboard.screens.report import ReportScreen
from pyd_tui.dashboard.screens.search import SearchScreen
from pyd_tui.dashboard.widgets.lines import LineList
from pyd_tui.dashboard.widgets.table import Table

HOLDERS: dict[Scope, tuple[type, ...]] = {
    "containers": (Main,),
    "move": (Table, LineList, LogView, Confirm),
    "text": (LineList,),
    "detail": (Detail,),
    "browse": (Browse,),
    "views": (Main, Browse),
    "engines": (Engines,),
    "log": (LogPanel,),
    "line": (LineScreen,),
    "search": (SearchScreen,),
    "files": (FilesPane,),
    "document": (DocumentPane,),
    "processes": (ProcessesPane,),
    "why": (WhyPane,),
    "steps": (NextSteps,),
    "file": (FileScreen,),
    "ask": (Confirm,),
    "form": (Form,),
    "help": (Help,),
    "report": (ReportScreen,),
    "output": (Output,),
    "menu": (Menu,),
    "columns": (ColumnChooser,),
    "everywhere": (Main, Detail, Browse, LogScreen, LineScreen, FileScreen, Help, Engines, SearchScreen),
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
        ("detail", "files", "move", "everywhere"),
        ("file", "text", "move", "everywhere"),
        ("line", "move", "text", "everywhere"),
        ("search", "move", "everywhere"),
        *TOGETHER,
    ],
)
def test_no_key_has_two_actions_in_one_place(scopes: tuple[Scope, ...]):
    meant = {(name, key.action) for scope in scopes for key in KEYMAP[scope] for name in key.keys}
    used = Counter(name for name, _ in meant)
    assert [name for name, times in used.items() if times > 1] == []


def test_conflicts_are_checked_in_every_scope():
    assert {scope for scopes in TOGETHER for scope in scopes} == set(KEYMAP)


@pytest.mark.parametrize("scope", KEYMAP)
def test_every_key_has_a_name_of_its_own_to_be_set_by(scope: Scope):
    names = Counter(key.name for key in KEYMAP[scope])
    assert [name for name, times in names.items() if times > 1 or not name.replace("-", "").isalnum()] == []


def test_configured_keys_replace_the_defaults_and_conflicts_are_reported():
    keys = Keys({"containers": {"stop": "r", "debug": ["F5", "ctrl+k", "/"], "logs": [], "strat": "x"}, "cont": {}})
    table = {key.name: key for key in keys.of("containers")}
    assert table["debug"].keys == ("f5", "ctrl+k", "slash")
    assert (table["debug"].shown, table["logs"].shown, table["stop"].shown) == ("F5 ^k /", "none", "r")
    assert [(problem.steps, problem.message) for problem in keys.problems] == [
        (("keys", "containers", "strat"), "containers has no key strat"),
        (("keys", "cont"), "there is no scope cont"),
        (("keys", "containers", "debug"), "/ is set for containers.debug and for containers.filter"),
        (("keys", "containers", "stop"), "r is set for containers.stop and for containers.restart"),
    ]
    assert Keys().problems == []


def test_former_names_of_keys_still_work_in_the_configuration():
    keys = Keys({"browse": {"renew": "f5", "dig": "Z"}, "containers": {"again": "X"}, "report": {"again": "n"}})
    assert keys.problems == []
    assert {key.name: key.keys for key in keys.of("browse") if key.formerly} == {
        "refresh": ("f5",),
        "files": ("Z",),
    }
    assert keys.overrides == {
        "browse.refresh": "f5",
        "browse.files": "Z",
        "containers.recreate": "X",
        "report.retry": "n",
    }
    assert Keys({"browse": {"refresh": "f5"}}).overrides == {"browse.refresh": "f5"}
    (problem,) = Keys({"browse": {"renew": "x"}}).problems
    assert problem.steps == ("keys", "browse", "renew"), "the setting is reported by the name it has in the file"


def test_keys_are_parsed_as_users_write_them():
    written = ["x", "X", "/", "ctrl+k", "F5", "esc", "+", "ctrl++", "hyper+x", "", "xx", "\x1b", "ctrl+"]
    names = ["x", "X", "slash", "ctrl+k", "f5", "escape", "plus", "ctrl+plus", *[None] * 5]
    assert [key_name(text) for text in written] == names


def test_no_help_of_a_key_is_clipped_where_the_help_has_two_columns():
    room = 60 - 13  # half of 120, less the key and what is around it
    assert [key.help for keys in KEYMAP.values() for key in keys if len(key.help) > room] == []
