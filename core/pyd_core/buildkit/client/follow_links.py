"""Paths that a build reads, with the targets of the links on the way to them (tonistiigi/fsutil, `followlinks.go`)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

from pyd_core.dockerfile.ignore import IgnorePatterns

MAX_PATHS = 100_000
"""Paths that are followed for one source."""
_WILDCARDS = frozenset("*?[")


def follow_links(root: Path, paths: Iterable[str]) -> list[str]:
    """Return include patterns for paths; an empty list means everything.

    Links are followed inside `root` only: an absolute target and `..` at the top count from it.

    Args:
        root: The directory.
        paths: Paths of a build's COPY and ADD, or of its Dockerfile; a name may contain wildcards.
    """
    resolved: set[str] = set()
    pending = [_clean(path) for path in paths]
    while pending:
        path = pending.pop()
        current, parts = "", path.split("/") if path else []
        for count, part in enumerate(parts):
            current = posixpath.join(current, part)
            rest = parts[count + 1 :]
            targets = _targets(root, current)
            if targets and current not in resolved:
                pending += (_clean("/".join([target, *rest])) for target in targets)
            if targets or not rest:
                resolved.add(current)
            if targets:
                break
        if not parts:
            resolved.add("")
        if len(resolved) + len(pending) > MAX_PATHS:
            return []
    if "" in resolved:
        return []
    return _without_children(sorted(resolved))


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path).strip("/")


def _targets(root: Path, path: str) -> list[str]:
    """Return what the link at `path` leads to, relative to the root; its name may contain wildcards."""
    directory, name = posixpath.split(path)
    if not _WILDCARDS & set(name):
        return _read_link(root, path)
    pattern = IgnorePatterns([name])
    try:
        names = [entry.name for entry in (root / directory).iterdir()]
    except OSError:
        return []
    links = [posixpath.join(directory, entry) for entry in sorted(names) if pattern.excludes(entry)]
    return [target for link in links for target in _read_link(root, link)]


def _read_link(root: Path, path: str) -> list[str]:
    try:
        target = str((root / path).readlink())
    except OSError:
        return []
    if target.startswith("/"):
        return [_clean(target)]
    return [_clean(posixpath.join(posixpath.dirname(path), target))]


def _without_children(paths: list[str]) -> list[str]:
    kept: list[str] = []
    for path in paths:
        if not any(path == parent or path.startswith(f"{parent}/") for parent in kept[-1:]):
            kept.append(path)
    return kept
