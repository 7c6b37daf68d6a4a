"""The reader of `config.toml`, which reports mistakes with file, line and a hint."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.errors import ConfigError
from pyd_core.sanitise import safe
from pyd_tui.config.settings import UserCommand, UserSettings

MAX_FILE_BYTES = 1 << 20
"""Larger than any file written by hand."""

_WHERE = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`")


def read_settings(path: Path) -> UserSettings:
    """Return a file's settings, or the defaults if there is no file.

    Raises:
        ConfigError: The file can't be read, isn't TOML, or has invalid settings.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return UserSettings()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="pyd config path prints its path") from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB")
    return parse_settings(data, str(path))


def parse_settings(data: bytes, name: str) -> UserSettings:
    """Parse the text of a configuration file.

    Raises:
        ConfigError: It isn't TOML, or has invalid settings; the message starts with file and line.
    """
    import tomllib  # noqa: PLC0415 - only if there is a file

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8") from error
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        position = _LINE.search(str(error))
        message = _LINE.sub("", str(error)).strip() or "nested too deeply"
        raise ConfigError(
            f"{name}:{position[1] if position else 1}: {safe(message)}", hint="see https://toml.io"
        ) from error
    try:
        return msgspec.convert(document, UserSettings, strict=True)
    except msgspec.ValidationError as error:
        explanation, hint, steps = _explain(str(error), document)
        raise ConfigError(f"{name}:{line_of(text, steps)}: {safe(explanation)}", hint=hint) from error


def _explain(error: str, document: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Return a message, a hint, and the path to the mistake."""
    location = _WHERE.search(error)
    steps = re.findall(r"[^.\[\]]+", location["path"]) if location else []
    message = _WHERE.sub("", error)
    steps = [step for step in steps if step != "..."]
    if unknown := _UNKNOWN.fullmatch(message):
        kind: type[msgspec.Struct] = UserCommand if steps[:1] == ["commands"] else UserSettings
        return (
            f"there is no setting {unknown['name']}",
            nearest(unknown["name"], fields(kind)),
            [*steps, unknown["name"]],
        )
    if message.startswith("Object missing"):
        return f"[[{steps[0]}]] number {int(steps[-1]) + 1} has no {message.split('`')[1]}", "", steps
    if steps[:1] == ["keys"]:
        steps, kind_name = _wrong_keys(document["keys"])
        return f"{'.'.join(steps)}: a key or a list of keys is expected, not {kind_name}", "", steps
    shown = ".".join(steps)
    if message.startswith("Invalid enum value"):
        value = message.removeprefix("Invalid enum value ").strip("'`")
        return f"{shown} can't be {value}", _choices(steps, value), steps
    return f"{shown}: {message[:1].lower()}{message[1:]}" if shown else message, "", steps


def _wrong_keys(tables: Any) -> tuple[list[str], str]:
    """Return what msgspec's path leaves out: the table, the name in it, and the wrong type."""
    if not isinstance(tables, dict):
        return ["keys"], type(tables).__name__
    for scope, table in tables.items():
        if not isinstance(table, dict):
            return ["keys", scope], type(table).__name__
        for name, keys in table.items():
            if not isinstance(keys, str) and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
                return ["keys", scope, name], type(keys).__name__
    return ["keys"], "that"


def _choices(steps: Sequence[str], value: str) -> str:
    kind: Any = {"theme": "ThemeName", "borders": "Borders", "where": "Where"}.get(steps[-1] if steps else "")
    from pyd_tui.config import settings  # noqa: PLC0415 - the literals by name

    return nearest(value, list(getattr(settings, kind).__args__)) if kind else ""


def fields(kind: type[msgspec.Struct]) -> list[str]:
    """Return the setting names of one kind of table."""
    return [field.name for field in msgspec.structs.fields(kind)]


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint: the known names similar to an unknown one, else all known ones."""
    import difflib  # noqa: PLC0415 - only for a mistake

    similar = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if similar:
        return f"did you mean {' or '.join(similar)}?"
    return f"available: {', '.join(known)}" if known else ""


_TABLE = re.compile(r"^\s*(\[\[?)\s*(?P<name>[^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_SET = re.compile(r"^\s*(?P<name>[A-Za-z0-9_.\"' -]+?)\s*=")


def line_of(text: str, steps: Sequence[str]) -> int:
    """Return the line of a setting, as well as it can be found without a full parser.

    Args:
        text: The file's text.
        steps: Names of tables, indices of `[[lists]]`, and finally the setting's name.
    """
    path = [step for step in steps if not step.isdigit()]
    index = next((int(step) for step in steps if step.isdigit()), -1)
    table: list[str] = []
    seen = -1
    best = 1
    for number, line in enumerate(text.split("\n"), 1):
        if table_match := _TABLE.match(line):
            table = _names(table_match["name"])
            seen += table_match[1] == "[[" and table == path[: len(table)]
            if table and table == path[: len(table)] and index in {-1, seen}:
                best = number
        elif (setting_match := _SET.match(line)) and index in {-1, seen}:
            setting = [*table, *_names(setting_match["name"])]
            if setting == path:
                return number
            if setting == path[: len(setting)] and len(setting) > len(table):
                best = number
    return best


def _names(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]
