"""Why a COPY or ADD finds no file: which rule of `.dockerignore` took it, or which names are similar."""

from __future__ import annotations

import posixpath
import re
from difflib import get_close_matches
from pathlib import Path

from pyd_core.dockerfile.ignore import IGNORE_FILE, IgnorePatterns, read_patterns
from pyd_core.sanitise import safe

_MISSING = re.compile(r'"(/[^"]*)": not found')
_MISSING_DIRECTORY = re.compile(r"lstat (?:\S*/buildkit-mount\d+)?(/[^:]*): no such file or directory")
MAX_LISTED = 40
"""Names that are listed."""
MAX_NAMES = 10_000
"""Names of a directory that are compared."""


def explain_missing_source(message: str, context: Path, dockerfile: Path | None, instruction: str = "") -> str:
    """Return why a file of the context is missing from a build; empty if the message is about something else.

    Args:
        message: The builder's message.
        context: The context's directory.
        dockerfile: The Dockerfile, next to which an ignore file of its own may be.
        instruction: The COPY or ADD as the Dockerfile has it.
    """
    match = _MISSING.search(message) or _MISSING_DIRECTORY.search(message)
    if match is None:
        return ""
    missing = match[1].strip("/")
    # a message may name only the directory, if nothing of it was sent
    paths = [path for path in _sources(instruction) if path == missing or path.startswith(f"{missing}/")] or [missing]
    explanations = [_explain_path(path, context, dockerfile) for path in paths]
    return next((text for text in explanations if text), "")


def _sources(instruction: str) -> list[str]:
    """Return the sources of a COPY or ADD from the context."""
    words = instruction.split()
    if len(words) < 3 or words[0].upper() not in {"COPY", "ADD"} or any(word.startswith("--from") for word in words):
        return []
    arguments = [word for word in words[1:] if not word.startswith("--")]
    return [posixpath.normpath("/" + word).strip("/") for word in arguments[:-1]]


def _explain_path(path: str, context: Path, dockerfile: Path | None) -> str:
    if not path or ".." in path.split("/"):
        return ""
    file = context / path
    if file.exists() or file.is_symlink():
        name, content = _ignore_file(context, dockerfile)
        rule = deciding_rule(content, path)
        if rule is None:
            return f"{safe(path)} is in the context; if a stage should have it, copy it with --from"
        number, text = rule
        return f"{safe(path)} is left out by line {number} of {safe(name)}: {safe(text)}"
    nearest = _similar(context, path)
    if nearest:
        return f"did you mean {', '.join(safe(name) for name in nearest)}?"
    return f"{safe(path)} isn't in the context {safe(str(context))}"


def describe_context(message: str, context: Path, dockerfile: Path | None) -> list[str]:
    """Return the files of the context in the directory that a COPY or ADD looked into, and which are left out.

    Args:
        message: The builder's message.
        context: The context's directory.
        dockerfile: The Dockerfile, next to which an ignore file of its own may be.
    """
    match = _MISSING.search(message) or _MISSING_DIRECTORY.search(message)
    if match is None or ".." in match[1].split("/"):
        return []
    directory = match[1].strip("/").rpartition("/")[0]
    try:
        names = sorted(entry.name for entry, _ in zip((context / directory).iterdir(), range(MAX_NAMES), strict=False))
    except OSError:
        directory = ""
        names = sorted(entry.name for entry, _ in zip(context.iterdir(), range(MAX_NAMES), strict=False))
    ignore_name, content = _ignore_file(context, dockerfile)
    lines = [f"in the context{f', in {safe(directory)}' if directory else ''}:"]
    for name in names[:MAX_LISTED]:
        path = f"{directory}/{name}" if directory else name
        rule = deciding_rule(content, path)
        left_out = "" if rule is None else f"  (left out by line {rule[0]} of {safe(ignore_name)}: {safe(rule[1])})"
        lines.append(f"  {safe(name)}{left_out}")
    if len(names) > MAX_LISTED:
        lines.append(f"  and {len(names) - MAX_LISTED} more")
    return lines


def _ignore_file(context: Path, dockerfile: Path | None) -> tuple[str, bytes]:
    """Return the name and content of the ignore file that the builder reads; no content without one."""
    candidates = [context / IGNORE_FILE]
    if dockerfile is not None:
        candidates.insert(0, dockerfile.with_name(dockerfile.name + IGNORE_FILE))
    for file in candidates:
        if file.is_file():
            return file.name, file.read_bytes()
    return IGNORE_FILE, b""


def deciding_rule(content: bytes, path: str) -> tuple[int, str] | None:
    """Return the number and text of the line of an ignore file that leaves a path out; None if it is sent."""
    pattern = IgnorePatterns(read_patterns(content)).excluding_pattern(path)
    if not pattern:
        return None
    for number, line in enumerate(content.split(b"\n"), start=1):
        if pattern in read_patterns(line):
            return number, line.decode(errors="replace").strip()
    return None


def _similar(context: Path, path: str) -> list[str]:
    directory, _, name = path.rpartition("/")
    try:
        names = [entry.name for entry, _ in zip((context / directory).iterdir(), range(MAX_NAMES), strict=False)]
    except OSError:
        directory, _, name = "", "", path
        try:
            names = [entry.name for entry, _ in zip(context.iterdir(), range(MAX_NAMES), strict=False)]
        except OSError:
            return []
    prefix = f"{directory}/" if directory else ""
    return [f"{prefix}{match}" for match in get_close_matches(name, names, n=3)]
