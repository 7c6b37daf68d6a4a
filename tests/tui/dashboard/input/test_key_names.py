"""Names of keys in configuration files of version 0.1."""

from __future__ import annotations

import pytest

from pyd_tui.dashboard.input.key_bindings import Keys

NAMES = {
    "containers": (
        "open logs project-logs debug shell why inspect stop restart pause remove kill rename limits "
        "again commit pull compose mark mark-range mark-all filter toggle-all toggle-broken sort scale "
        "merge pane switch-focus"
    ),
    "browse": "open logs dig stats filter mark mark-range mark-all save remove prune renew switch-focus",
    "views": (
        "containers images networks volumes events system command palette search services tasks nodes "
        "stacks engines next-engine previous-engine"
    ),
    "engines": "open",
    "move": "down up first last half-down half-up",
    "text": "find find-next find-previous follow times left right",
    "log": (
        "find next-match previous-match narrow unnarrow more-context less-context mode follow times wrap "
        "columns whole visual mark copy save window-0 window-1 window-2 window-3 window-4 window-5 "
        "window-6 previous solo mute full left right debug"
    ),
    "ask": "yes no",
    "help": "search help",
    "report": "again close",
    "output": "end copy",
    "form": "next previous accept cancel",
    "search": "open ask mode end",
    "line": "copy",
    "detail": (
        "next-tab previous-tab tab-overview tab-logs tab-stats tab-why tab-inspect tab-events "
        "tab-processes tab-env tab-mounts tab-network tab-files more-time less-time renew unmask logs "
        "debug shell stop restart pause remove"
    ),
    "document": "fold fold-all find find-next find-previous copy-path copy-value left right",
    "processes": "kill find find-next find-previous left right",
    "files": "enter leave find left right copy-path download",
    "file": "copy-path download",
    "everywhere": "back theme help quit leave",
}
"""The names of each scope, separated by spaces."""


@pytest.mark.parametrize("scope", NAMES)
def test_every_name_of_version_0_1_is_accepted(scope: str):
    for name in NAMES[scope].split(" "):
        assert Keys({scope: {name: ["f12"]}}).problems == [], name
