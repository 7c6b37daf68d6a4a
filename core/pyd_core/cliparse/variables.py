"""Environment variables and labels, on the command line and in files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pyd_core.cliparse.fields import parse_pairs
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe

_WHITESPACE = re.compile(r"\s")


def parse_variables(texts: Iterable[str], files: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Return `NAME=VALUE` texts, those from files first.

    A name without a value takes its value from `environ`. If it has none there, it stays as it is on the command line,
    which removes the image's variable; in a file, the line is dropped (docker/cli, `opts/env.go` and `opts/file.go`).

    Raises:
        InvalidInput: A variable has no name.
        NotFound: A file is missing.
    """
    variables = []
    for file in files:
        for line in _read_lines(file):
            name, equals, _ = line.partition("=")
            if equals:
                variables.append(line)
            elif name in environ:
                variables.append(f"{name}={environ[name]}")
    from_options: dict[str, str] = {}
    for text in texts:
        name, equals, _ = text.partition("=")
        if not name:
            raise InvalidInput(f"invalid environment variable: {safe(text)!r}", hint="write NAME=VALUE")
        from_options[name] = f"{name}={environ[name]}" if not equals and name in environ else text
    return [*variables, *from_options.values()]


def parse_labels(texts: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Return labels by name, those from files first; in a file a name without a value is dropped.

    Raises:
        InvalidInput: A label has no name.
        NotFound: A file is missing.
    """
    assignments = [*(line for file in files for line in _read_lines(file) if "=" in line), *texts]
    for text in assignments:
        if not text.partition("=")[0]:
            raise InvalidInput(f"invalid label: {safe(text)!r}", hint="write NAME=VALUE")
    return parse_pairs(assignments)


def _read_lines(file: str) -> list[str]:
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {safe(file)}", reference="no-such-file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"can't read {safe(file)}: {error}") from error
    lines = []
    for line in text.split("\n"):
        entry = line.lstrip().removesuffix("\r")
        if not entry or entry.startswith("#"):
            continue
        name = entry.partition("=")[0]
        if not name or _WHITESPACE.search(name):
            raise InvalidInput(f"poorly formatted line in {safe(file)}: {safe(entry[:80])!r}")
        lines.append(entry)
    return lines
