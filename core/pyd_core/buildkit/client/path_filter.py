"""Choice of the files that are sent of a directory (tonistiigi/fsutil, `filter.go`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyd_core.build.ignore import IgnorePatterns

_WILDCARDS = frozenset("*?[\\")


class PathFilter:
    """Include and exclude patterns, as a builder sends them for one local source.

    Args:
        include: A path is sent if it or a parent matches one; without any, all are.
        exclude: Patterns of `.dockerignore`.

    Raises:
        InvalidInput: A pattern can't be read.
    """

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = IgnorePatterns(include) if include else None
        self._exclude = IgnorePatterns(exclude)
        self._has_excludes = any(line.strip() for line in exclude)
        self._on_the_way, self._open_prefixes = _prefixes(include)

    def accepts(self, path: str) -> bool:
        """Return whether a path is sent."""
        if self._include is not None and not self._include.excludes(path):
            return False
        return not (self._has_excludes and self._exclude.excludes(path))

    def may_contain(self, directory: str) -> bool:
        """Return whether a directory that isn't sent itself may contain files that are."""
        if self._has_excludes and not self._exclude.has_exceptions and self._exclude.excludes(directory):
            return False
        if self._include is None or self._include.has_exceptions or self._include.excludes(directory):
            return True
        return directory in self._on_the_way or any(
            not prefix or directory == prefix or directory.startswith(f"{prefix}/") for prefix in self._open_prefixes
        )


def _prefixes(patterns: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the directories above literal parts of patterns, and those below which a wildcard may match."""
    above: set[str] = set()
    below: set[str] = set()
    for pattern in patterns:
        parts = [part for part in pattern.removeprefix("!").split("/") if part not in {"", "."}]
        literal = 0
        while literal < len(parts) and not _WILDCARDS & set(parts[literal]):
            literal += 1
        above.update("/".join(parts[:count]) for count in range(1, literal + 1))
        if literal < len(parts):
            below.add("/".join(parts[:literal]))
    return above, below
