"""The keys that the footer names while the user types into a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.dashboard.input.keymap import Key, Scope

if TYPE_CHECKING:
    from pyd_tui.dashboard.input.key_bindings import Keys

ENTER_LABELS = {"narrowing": "filter", "command": "run", "wanted": "search", "&": "filter"}
"""What enter does, by the prompt's id or sign; any other prompt finds."""
MODE_SCOPES: dict[str, Scope] = {"ask": "log", "wanted": "search"}
"""The scope of the key for the kind of pattern, by the id of the prompts that have one."""


def prompt_keys(name: str, sign: str, keys: Keys, *, completes: bool) -> tuple[Key, ...]:
    """Return the keys of a prompt.

    Args:
        name: Its id.
        sign: The sign before its text.
        keys: The effective keys.
        completes: Whether tab completes its text.
    """
    label = ENTER_LABELS.get(name) or ENTER_LABELS.get(sign, "find")
    scope = MODE_SCOPES.get(name)
    mode = next((key for key in keys.table[scope] if key.name == "mode"), None) if scope else None
    return (
        Key("", ("enter",), "enter", label, "", 0),
        *((Key("", ("tab",), "tab", "complete", "", 2),) if completes else ()),
        *((Key("", mode.keys, mode.shown, "regex", "", 2),) if mode is not None else ()),
        Key("", ("escape",), "esc", "cancel", "", 1),
    )
