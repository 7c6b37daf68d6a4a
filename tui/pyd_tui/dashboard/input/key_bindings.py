"""The effective keys: the keymap with the user's settings, and the conflicts between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.sanitise import safe
from pyd_tui.config.reader import nearest
from pyd_tui.config.settings import KeyLists, UserCommand
from pyd_tui.dashboard.input.keymap import KEYMAP, Key, Scope

if TYPE_CHECKING:
    from textual.app import App

TOGETHER: tuple[tuple[Scope, ...], ...] = (
    ("containers", "views", "move", "everywhere"),
    ("browse", "views", "move", "everywhere"),
    ("detail", "text", "move", "everywhere"),
    ("detail", "files", "move", "everywhere"),
    ("detail", "document", "move", "everywhere"),
    ("detail", "processes", "move", "everywhere"),
    ("detail", "why", "text", "move", "everywhere"),
    ("search", "move", "everywhere"),
    ("file", "text", "move", "everywhere"),
    ("log", "move", "everywhere"),
    ("engines", "move", "everywhere"),
    ("line", "text", "move", "everywhere"),
    ("help", "move", "everywhere"),
    ("output", "text", "move", "everywhere"),
    ("report",),
    ("steps",),
    ("menu",),
    ("columns",),
    ("ask", "move"),
    ("form",),
)
"""Scopes that are active at the same time."""
NOTHING = "pyd_no_key"
"""The name of no key, where Textual requires one."""

_NAMED = {
    "/": "slash",
    "?": "question_mark",
    ":": "colon",
    "!": "exclamation_mark",
    "&": "ampersand",
    "+": "plus",
    "-": "minus",
    ",": "comma",
    ".": "full_stop",
    ";": "semicolon",
    "*": "asterisk",
    "#": "number_sign",
    "@": "at",
    "%": "percent_sign",
    "=": "equals_sign",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
    "'": "apostrophe",
    '"': "quotation_mark",
    " ": "space",
    "_": "underscore",
    "$": "dollar_sign",
    "^": "circumflex_accent",
    "~": "tilde",
    "|": "vertical_line",
    "\\": "backslash",
    "`": "grave_accent",
}
"""Textual's names of keys: those of Unicode, some of them shortened."""
_SIGNS = {name: sign for sign, name in _NAMED.items() if sign != " "}
_SPECIAL = frozenset(
    {"enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
    | {"up", "down", "left", "right"}
    | {f"f{number}" for number in range(1, 25)}
)
_ALIASES = {"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown"}
_SHORT = {"escape": "esc", "backspace": "⌫", "up": "↑", "down": "↓", "left": "←", "right": "→"}


class Problem(msgspec.Struct, frozen=True):
    """A problem of the settings.

    Attributes:
        steps: The path of the setting.
        message: The problem.
        hint: How to solve it.
    """

    steps: tuple[str, ...]
    message: str
    hint: str = ""


_SCOPES: dict[str, Scope] = {scope: scope for scope in KEYMAP}


class Keys:
    """The keymap with the user's keys.

    Args:
        settings: Keys by scope and name, as the settings have them.
        commands: The user's own commands; their keys work in the list and in the details of a container.
    """

    def __init__(self, settings: Mapping[str, KeyLists] | None = None, commands: Sequence[UserCommand] = ()) -> None:
        self.commands = tuple(commands)
        """The user's own commands."""
        self.problems: list[Problem] = []
        self.table: dict[Scope, tuple[Key, ...]] = dict(KEYMAP)
        self.overrides: dict[str, str] = {}
        """Keys by the id of a binding, for Textual."""
        self._written: dict[str, str] = {}
        """The names that the settings use, which may be former ones, by scope and name."""
        self.own: dict[str, str] = {}
        """The names of the user's commands, by key."""
        for name, table in (settings or {}).items():
            self._take(name, table)
        for number, command in enumerate(self.commands):
            if command.key:
                self._bind(number, command)
        if settings or commands:  # the keymap itself has none, which a test checks
            self.problems += self._conflicts()

    def of(self, scope: Scope) -> tuple[Key, ...]:
        """Return the keys of a scope."""
        return self.table[scope]

    def _take(self, name: str, table: KeyLists) -> None:
        scope = _SCOPES.get(name)
        if scope is None:
            self._problem(("keys", name), f"there is no scope {safe(name)}", nearest(name, list(self.table)))
            return
        known = {key.name: key for key in self.table[scope]}
        former = {old: key.name for key in self.table[scope] for old in key.formerly}
        for written, given in table.items():
            steps, action = ("keys", name, written), former.get(written, written)
            self._written[f"{scope}.{action}"] = written
            if action not in known:
                self._problem(steps, f"{scope} has no key {safe(action)}", nearest(action, sorted(known)))
                continue
            named = [(text, key_name(text)) for text in ([given] if isinstance(given, str) else given)]
            for text, key in named:
                if key is None:
                    self._problem(steps, f"{safe(text)!r} is no key", "write x, X, /, enter, space, f5, ctrl+k, alt+x")
            keys = tuple(key for _, key in named if key is not None)
            if named and not keys:
                continue
            known[action] = replace(known[action], keys=keys, shown=" ".join(map(shown, keys)) or "none", swarm="")
            self.overrides[f"{scope}.{action}"] = ",".join(keys) or NOTHING
        self.table[scope] = tuple(known.values())

    def _bind(self, number: int, command: UserCommand) -> None:
        key = key_name(command.key)
        if key is None:
            steps = ("commands", str(number), "key")
            self._problem(steps, f"{safe(command.key)!r} is no key", "write x, X, f5, ctrl+k")
        else:
            self.own[key] = command.name

    def _conflicts(self) -> Iterator[Problem]:
        reported: set[tuple[str, str]] = set()
        for group in TOGETHER:
            usual = _holders(KEYMAP, group)
            holders = _holders(self.table, group)
            if group[0] in {"containers", "detail"}:
                for key, name in self.own.items():
                    holders.setdefault(key, []).append(f"command {name}")
            for key, names in holders.items():
                fresh = [name for name in names if name not in usual.get(key, [])]
                if len(names) > 1 and fresh and (key, fresh[0]) not in reported:
                    reported.add((key, fresh[0]))
                    others = ", ".join(name for name in names if name != fresh[0])
                    yield Problem(
                        self._steps(fresh[0]), f"{shown(key)} is set for {fresh[0]} and for {others}", "set another"
                    )

    def _steps(self, name: str) -> tuple[str, ...]:
        scope, _, action = name.partition(".")
        return ("keys", scope, self._written.get(name, action)) if action else ("commands",)

    def _problem(self, steps: tuple[str, ...], message: str, hint: str) -> None:
        self.problems.append(Problem(steps, message, hint))


def key_name(text: str) -> str | None:
    """Return Textual's name of a key as users write it; None if it is no key."""
    *modifiers, last = text.split("+") if len(text) > 1 else [text]
    if len(text) > 1 and text.endswith("++"):
        modifiers, last = [part for part in modifiers if part], "+"
    if any(modifier not in {"ctrl", "alt", "shift"} for modifier in modifiers):
        return None
    if len(last) == 1:
        if not last.isprintable():
            return None
        name = _NAMED.get(last, last)
    else:
        name = _ALIASES.get(last.lower(), last.lower())
        if name not in _SPECIAL and name not in _SIGNS:
            return None
    return "+".join([*modifiers, name])


def shown(key: str) -> str:
    """Return a key as the footer and the help show it."""
    *modifiers, last = key.split("+")
    name = _SIGNS.get(last, _SHORT.get(last, last))
    if modifiers == ["ctrl"] and len(name) == 1:
        return f"^{name}"
    return "+".join([*modifiers, name.upper() if name in _SPECIAL and name[0] == "f" and len(name) > 1 else name])


def _holders(table: Mapping[Scope, Sequence[Key]], group: Sequence[Scope]) -> dict[str, list[str]]:
    holders: dict[str, list[str]] = {}
    for scope in group:
        for key in table[scope]:
            for textual_name in key.keys:
                holders.setdefault(textual_name, []).append(f"{scope}.{key.name}")
    return holders


DEFAULT = Keys()


def keys_of(app: App[Any]) -> Keys:
    """Return the effective keys of an app."""
    keys = getattr(app, "keys", None)
    return keys if isinstance(keys, Keys) else DEFAULT
