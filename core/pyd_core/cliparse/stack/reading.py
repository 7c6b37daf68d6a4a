"""Reader for Compose files: YAML, variables, and merging of several files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe

MAX_FILE_BYTES = 4 << 20

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<word>[^{}]*))?\}|(?P<invalid>))"
)


def read_files(paths: Sequence[Path], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of Compose files merged into one; later files override earlier ones.

    Raises:
        NotFound: A file is missing.
        InvalidInput: A file can't be read, or a variable it requires isn't set.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        merged = _merge(merged, _Interpolation(environ, str(path)).interpolate(_parse_file(path)))
    return merged


def _parse_file(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - only this verb needs it

    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {safe(str(path))}", reference="no-such-file") from error
    except OSError as error:
        raise InvalidInput(f"can't read {safe(str(path))}: {error.strerror}") from error
    if len(text) > MAX_FILE_BYTES:
        raise InvalidInput(f"{safe(str(path))} is larger than {MAX_FILE_BYTES >> 20} MiB")
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(f"{safe(str(path))} is not YAML: {safe(' '.join(str(error).split())[:300])}") from error
    if not isinstance(content, dict):
        raise InvalidInput(f"{safe(str(path))} is not a Compose file: it has no sections")
    return content


class _Interpolation:
    """Interpolation of variables. It follows aliases, so the number of expanded values is limited.

    Args:
        environ: The variables.
        where: The file, for messages.
    """

    def __init__(self, environ: Mapping[str, str], where: str) -> None:
        self._environ = environ
        self._where = where
        self._remaining_values = MAX_VALUES

    def interpolate(self, value: Any, depth: int = 0) -> Any:
        """Return a value with variables filled in."""
        self._remaining_values -= 1
        if self._remaining_values < 0 or depth > MAX_DEPTH:
            raise InvalidInput(f"{safe(self._where)} is too large: its aliases expand to too many values")
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: _substitute(match, self._environ, self._where), value)
        if isinstance(value, list):
            return [self.interpolate(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {str(key): self.interpolate(item, depth + 1) for key, item in value.items()}
        return value


MAX_VALUES = 200_000
MAX_DEPTH = 50


def _substitute(match: re.Match[str], environ: Mapping[str, str], where: str) -> str:
    if match["escaped"]:
        return "$"
    name = match["plain"] or match["name"]
    if not name:
        raise InvalidInput(f"invalid variable in {safe(where)}", hint="write $$ for a dollar sign")
    operator, word = match["operator"] or "", match["word"] or ""
    value = environ.get(name)
    is_set = value is not None and (value != "" or ":" not in operator)
    if operator.endswith("+"):
        return word if is_set else ""
    if is_set:
        return value or ""
    if operator.endswith("?"):
        raise InvalidInput(f"{safe(where)} requires the variable {name}: {safe(word) or 'it is not set'}")
    return word if operator.endswith("-") else ""


def _merge(base: Any, override: Any) -> Any:
    """Merge mappings by key; lists are joined without duplicates, everything else is replaced."""
    if isinstance(base, dict) and isinstance(override, dict):
        both = {key: _merge(base[key], override[key]) for key in base.keys() & override.keys()}
        return {**base, **override, **both}
    if isinstance(base, list) and isinstance(override, list):
        return [*base, *(item for item in override if item not in base)]
    return override
