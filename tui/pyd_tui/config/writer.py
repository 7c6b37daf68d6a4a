"""Settings as TOML: the current ones, and a template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyd_tui.config.settings import UserSettings

TEMPLATE = """\
# Settings of pyd. Commented lines are examples or defaults; pyd config check reports mistakes.

# theme = "auto"       # dark, light, high-contrast, colour-blind, 16 (the terminal's own colours), plain
# borders = "auto"     # unicode, ascii
# mouse = true         # false leaves the mouse to the terminal
# view = ""            # the initial view; empty for the last one
# filter = ""          # the initial filter
# merged = false       # true starts with the containers of all engines in one list
# restore = true       # start with the last view, order and filters
# confirm = "undo"     # what u undoes runs at once; "ask" asks before every stop, "never" only before removals
# confirm_quit = true  # quit only when the key is pressed twice
# layout = "auto"      # below, right: where logs and events are shown

# Columns by view, in order; J in a list chooses them. Without a line for a view, it shows all.
# [columns]
# containers = ["state", "name", "cpu", "memory", "ports"]

# Keys by scope and action; pyd's ? lists them. A list sets several keys, an empty list none.
# [keys.containers]
# stop = "ctrl+k"
# debug = ["D", "f5"]

# A command of your own. {name} {id} {image} {project} {service} {state} {pid} are the container's,
# and pyd asks for each of prompts. Values are passed verbatim: no shell interprets them.
# [[commands]]
# name = "copy out"
# key = "ctrl+y"
# help = "copy a file out of the container"
# run = "docker cp {name}:{path} ."
# prompts = ["path"]
# where = "pane"       # suspend (uses the terminal), background, pane
# confirm = false
# changes = false      # may run with --read-only
"""


def as_toml(settings: UserSettings) -> str:
    """Return all settings, including defaults, as TOML."""
    values: dict[str, Any] = msgspec.to_builtins(settings)
    lines = [
        f"{name} = {_value(value)}" for name, value in values.items() if name not in {"columns", "keys", "commands"}
    ]
    if values["columns"]:
        lines += ["", "[columns]", *_table(values["columns"])]
    for scope, table in values["keys"].items():
        lines += ["", f"[keys.{_name(scope)}]", *_table(table)]
    for command in values["commands"]:
        lines += ["", "[[commands]]", *_table(command)]
    return "\n".join(lines) + "\n"


def _table(table: Mapping[str, Any]) -> list[str]:
    return [f"{_name(name)} = {_value(value)}" for name, value in table.items()]


def _name(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    return "true" if value is True else "false" if value is False else str(value)
