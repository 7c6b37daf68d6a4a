"""Reading `config.toml`: every mistake is told with its file, its line and what was meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.errors import ConfigError
from pyd_core.sanitise import safe
from pyd_tui.config.settings import UserCommand, UserSettings

MOST_BYTES = 1 << 20
"""More than anybody writes by hand."""

_WHERE = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`")


def read_settings(path: Path) -> UserSettings:
    """Return what a file sets; the defaults where there is none.

    Raises:
        ConfigError: It can't be read, isn't TOML, or sets what can't be set.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return UserSettings()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="pyd config path says where it is looked for") from error
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES >> 20} MB")
    return parse_settings(data, str(path))


def parse_settings(data: bytes, name: str) -> UserSettings:
    """Read the text of a configuration file.

    Raises:
        ConfigError: It isn't TOML, or sets what can't be set; the message begins with the file and the line.
    """
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8") from error
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _LINE.search(str(error))
        said = _LINE.sub("", str(error)).strip() or "nested too deeply"
        raise ConfigError(f"{name}:{at[1] if at else 1}: {safe(said)}", hint="see https://toml.io") from error
    try:
        return msgspec.convert(found, UserSettings, strict=True)
    except msgspec.ValidationError as error:
        message, hint, steps = _explain(str(error), found)
        raise ConfigError(f"{name}:{line_of(text, steps)}: {safe(message)}", hint=hint) from error


def _explain(said: str, found: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Return the message, a hint, and the steps to what is wrong."""
    where = _WHERE.search(said)
    steps = re.findall(r"[^.\[\]]+", where["path"]) if where else []
    message = _WHERE.sub("", said)
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
        steps, kind_name = _wrong_keys(found["keys"])
        return f"{'.'.join(steps)}: a key or a list of keys is expected, not {kind_name}", "", steps
    shown = ".".join(steps)
    if message.startswith("Invalid enum value"):
        value = message.removeprefix("Invalid enum value ").strip("'`")
        return f"{shown} can't be {value}", _choices(steps, value), steps
    return f"{shown}: {message[:1].lower()}{message[1:]}" if shown else message, "", steps


def _wrong_keys(found: Any) -> tuple[list[str], str]:
    """Find what msgspec's paths leave out: the table and the name in it."""
    if not isinstance(found, dict):
        return ["keys"], type(found).__name__
    for scope, table in found.items():
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
    """Return the names of what can be set in one kind of table."""
    return [field.name for field in msgspec.structs.fields(kind)]


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint: the names that look like one that isn't known, else all there are."""
    import difflib  # noqa: PLC0415 - only for a mistake

    alike = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if alike:
        return f"did you mean {' or '.join(alike)}?"
    return f"there are {', '.join(known)}" if known else ""


_TABLE = re.compile(r"^\s*(\[\[?)\s*(?P<name>[^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_SET = re.compile(r"^\s*(?P<name>[A-Za-z0-9_.\"' -]+?)\s*=")


def line_of(text: str, steps: Sequence[str]) -> int:
    """Return the line on which a setting is made, as well as it can be told without keeping the whole syntax.

    Args:
        text: The file.
        steps: Names of tables, indices of `[[lists]]`, at last the name of the setting.
    """
    wanted = [step for step in steps if not step.isdigit()]
    index = next((int(step) for step in steps if step.isdigit()), -1)
    table: list[str] = []
    seen = -1
    best = 1
    for number, line in enumerate(text.split("\n"), 1):
        if found := _TABLE.match(line):
            table = _names(found["name"])
            seen += found[1] == "[[" and table == wanted[: len(table)]
            if table and table == wanted[: len(table)] and index in {-1, seen}:
                best = number
        elif (made := _SET.match(line)) and index in {-1, seen}:
            whole = [*table, *_names(made["name"])]
            if whole == wanted:
                return number
            if whole == wanted[: len(whole)] and len(whole) > len(table):
                best = number
    return best


def _names(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]
