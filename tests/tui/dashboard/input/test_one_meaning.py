"""A key means the same on every screen."""

from __future__ import annotations

from collections import defaultdict

from pyd_tui.dashboard.input.keymap import KEYMAP, Scope

MODAL: tuple[Scope, ...] = ("ask", "form", "help", "report", "menu", "steps", "columns")
"""Dialogs, which take all keys and show theirs."""
SAME: tuple[frozenset[str], ...] = (
    frozenset({"open", "whole", "fold", "enter", "next-steps"}),  # what the cursor is on
    frozenset({"mark", "toggle-mark"}),
    frozenset({"mark-range", "visual"}),  # from here on
    frozenset({"filter", "find", "search", "ask"}),  # let the user type what to look for
    frozenset({"find-next", "next-match"}),
    frozenset({"find-previous", "previous-match"}),
    frozenset({"copy", "copy-path"}),
    frozenset({"save", "download"}),  # to a file
    frozenset({"remove-filter", "leave"}),  # one step back
    frozenset({"more-time", "more-context"}),
    frozenset({"less-time", "less-context"}),
    frozenset({"full", "logs"}),  # only the log
    frozenset({"remove", "prune"}),
    frozenset({"stats", "tab-stats"}),
    frozenset({"switch-focus", "next-tab"}),
    frozenset({"switch-focus", "previous-tab"}),
)
CHOICES = frozenset("1234567890")
"""Digits choose among what the top of the screen numbers: views, tabs, time windows."""


def test_a_key_means_one_thing_everywhere():
    names: dict[str, set[str]] = defaultdict(set)
    for scope, keys in KEYMAP.items():
        for key in keys if scope not in MODAL else ():
            for textual_name in key.keys:
                names[textual_name].add(key.name.removeprefix("tab-"))
    differing = {
        key: meant
        for key, meant in names.items()
        if len(meant) > 1 and key not in CHOICES and not any(meant <= same for same in SAME)
    }
    assert differing == {}


def test_the_keys_of_a_log_never_change_a_container():
    changing = {key for held in KEYMAP["containers"] if held.name in {"stop", "restart", "remove"} for key in held.keys}
    assert changing == {"s", "r", "x"}
    assert not [key.name for key in (*KEYMAP["log"], *KEYMAP["text"]) if changing & set(key.keys)]
