"""Reader for bake files: which there are, and their targets, groups and variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.cliparse.stack.reading import read_files
from pyd_core.errors import InvalidInput, NotFound, Unsupported
from pyd_core.sanitise import safe

DEFAULT_FILES = (
    *("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"),
    *("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl"),
)
"""Files that are read if none is named, in the order of buildx; later ones override."""
MAX_FILE_BYTES = 4 << 20
_SECTIONS = frozenset({"target", "group", "variable", "function"})


class BakeFile(msgspec.Struct, frozen=True, kw_only=True):
    """Targets and groups of all files, merged.

    Attributes:
        targets: Attributes of targets by name.
        groups: Names of targets and groups by the group's name.
    """

    targets: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Sequence[str]]


def find_files(directory: Path) -> list[Path]:
    """Return the bake and Compose files of a directory.

    Raises:
        NotFound: There is none.
    """
    files = [directory / name for name in DEFAULT_FILES if (directory / name).is_file()]
    if not files:
        raise NotFound(
            "no bake file here", hint="name one with -f: docker-bake.json or compose.yaml", reference="no-bake-file"
        )
    return files


def read_bake_files(files: Sequence[Path], environment: Mapping[str, str]) -> BakeFile:
    """Read bake and Compose files; what later ones set overrides.

    Raises:
        NotFound: A file is missing.
        Unsupported: A file is HCL, or a target is a matrix.
        InvalidInput: A file can't be read.
    """
    targets: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {}
    for file in files:
        if file.suffix == ".hcl":
            raise Unsupported(
                f"{safe(str(file))}: HCL isn't supported",
                hint="docker buildx bake --print > docker-bake.json writes it as JSON",
                reference="bake-hcl",
            )
        is_json = file.suffix == ".json"
        content = read_files([file], _variables(file, environment) if is_json else environment)
        if "services" in content and not _SECTIONS & content.keys():
            from pyd_core.buildkit.bake.compose import compose_targets  # noqa: PLC0415 - not for bake files

            described = compose_targets(content, file)
            groups.setdefault("default", [])
            groups["default"] += [name for name in described if name not in groups["default"]]
        else:
            described = _mapping(content.get("target", {}), file, "target")
            for name, group in _mapping(content.get("group", {}), file, "group").items():
                groups[name] = [str(item) for item in _sequence(group.get("targets", []), file)]
        for name, attributes in described.items():
            if "matrix" in attributes:
                raise Unsupported(f"{safe(str(file))}: target {safe(name)} is a matrix", reference="bake-matrix")
            targets[name] = {**targets.get(name, {}), **attributes}
    if not targets:
        raise InvalidInput("the bake files have no targets")
    return BakeFile(targets=targets, groups=groups)


def _variables(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a bake file declares, with their defaults or the environment's values."""
    try:
        with file.open("rb") as opened:
            content = msgspec.json.decode(opened.read(MAX_FILE_BYTES))
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}  # reported by those who read it for its targets
    declared = content.get("variable", {}) if isinstance(content, dict) else {}
    variables: dict[str, str] = {}
    for name, variable in declared.items() if isinstance(declared, dict) else ():
        default = variable.get("default") if isinstance(variable, dict) else None
        variables[name] = environment.get(name, "" if default is None else _text(default))
    return variables


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mapping(value: Any, file: Path, section: str) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        raise InvalidInput(f"{safe(str(file))}: {section} isn't a mapping of names")
    return value


def _sequence(value: Any, file: Path) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput(f"{safe(str(file))}: a group's targets aren't a list")
    return value
