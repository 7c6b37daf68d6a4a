"""Settings as TOML: those that hold, and a file to begin with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyd_tui.config.settings import UserSettings

TEMPLATE = """\
# Settings of pyd. Lines behind # are examples or the defaults; pyd config check tells of mistakes.

# theme = "auto"       # dark, light, high-contrast, colour-blind, 16 (the terminal's own colours), plain
# borders = "auto"     # unicode, ascii
# mouse = true         # false leaves the mouse to the terminal
# view = ""            # the view to begin with; empty is the last one
# filter = ""          # the filter to begin with
# merged = false       # true begins with the containers of all engines in one list
# restore = true       # begin with the view, the order and the filters of last time

# Keys, by part of the dashboard; pyd's ? lists what they do. A list gives several, an empty one none.
# [keys.containers]
# stop = "ctrl+k"
# debug = ["D", "f5"]

# A command of your own. {name} {id} {image} {project} {service} {state} {pid} are the container's,
# and each of prompts is asked for. Values are handed over as they are, never read by a shell.
# [[commands]]
# name = "copy out"
# key = "ctrl+y"
# help = "copy a file out of the container"
# run = "docker cp {name}:{path} ."
# prompts = ["path"]
# where = "pane"       # suspend (it has the terminal), background, pane
# confirm = false
# changes = false      # it may run with --read-only
"""


def as_toml(settings: UserSettings) -> str:
    """Return all settings, the defaults among them, as a file that sets the same."""
    found: dict[str, Any] = msgspec.to_builtins(settings)
    lines = [f"{name} = {_value(value)}" for name, value in found.items() if name not in {"keys", "commands"}]
    for scope, table in found["keys"].items():
        lines += ["", f"[keys.{_name(scope)}]", *_table(table)]
    for command in found["commands"]:
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
