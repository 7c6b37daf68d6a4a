"""Changing the columns of a view in `config.toml`, without touching the rest of the file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from pyd_core.errors import ConfigError
from pyd_tui.config.reader import MAX_FILE_BYTES, parse_settings

_HEADER = re.compile(r"\s*\[columns\]\s*(#.*)?")
_NEXT_HEADER = re.compile(r"\s*\[")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def save_columns(path: Path, view: str, names: Sequence[str]) -> None:
    """Save the columns of a view, and keep all else in the file as it is.

    Args:
        path: The settings file, which need not exist.
        view: The view.
        names: The columns in order; none removes the setting.

    Raises:
        ConfigError: The file has errors, can't be written, or sets the columns in a form that can't be changed here.
    """
    path = path.resolve()  # a link into a directory of dotfiles stays one
    try:
        data = path.read_bytes() if path.exists() else b""
        if len(data) > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB")
        before = parse_settings(data, str(path))
        text = with_columns(data.decode(), view, names)
        columns = {name: columns for name, columns in before.columns.items() if name != view}
        expected = replace(before, columns=columns | ({view: tuple(names)} if names else {}))
        try:
            same = parse_settings(text.encode(), str(path)) == expected
        except ConfigError:
            same = False
        if not same:
            raise ConfigError(f"{path}: pyd can't change its columns", hint=f"set columns.{view} with pyd config edit")
        _write(path, text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="the columns stay until pyd ends") from error


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def with_columns(text: str, view: str, names: Sequence[str]) -> str:
    """Return the text of a settings file with the columns of a view in its section `[columns]`."""
    lines = text.splitlines(keepends=True)
    key = view if _BARE_KEY.fullmatch(view) else json.dumps(view)
    setting = [f"{key} = [{', '.join(map(json.dumps, names))}]\n"] if names else []
    header = next((index for index, line in enumerate(lines) if _HEADER.fullmatch(line.rstrip("\r\n"))), None)
    if header is None:
        gap = ["\n"] if lines and lines[-1].strip() else []
        if lines and not lines[-1].endswith("\n"):
            gap.insert(0, "\n")
        return "".join([*lines, *gap, "[columns]\n", *setting]) if setting else text
    end = next((i for i in range(header + 1, len(lines)) if _NEXT_HEADER.match(lines[i])), len(lines))
    known = re.compile(rf"\s*(?:{re.escape(key)}|{re.escape(json.dumps(view))})\s*=")
    first = next((i for i in range(header + 1, end) if known.match(lines[i])), None)
    if first is None:
        return "".join([*lines[: header + 1], *setting, *lines[header + 1 :]])
    return "".join([*lines[:first], *setting, *lines[_end_of_setting(lines, first, end) :]])


def _end_of_setting(lines: Sequence[str], first: int, end: int) -> int:
    """Return the line after a setting, whose list may take several lines."""
    import tomllib  # noqa: PLC0415 - only when the file is changed

    for after in range(first + 1, end + 1):
        try:
            tomllib.loads("".join(lines[first:after]))
        except tomllib.TOMLDecodeError:
            continue
        return after
    return first + 1
