"""Choice of the files that are sent of a directory (tonistiigi/fsutil, `filter.go`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pyd_core.dockerfile.ignore import IgnorePatterns, IgnoreState

_WILDCARDS = frozenset("*?[\\")


class FilterState(msgspec.Struct, frozen=True):
    """Matches of a directory, from which those of its files start."""

    include: IgnoreState | None = None
    exclude: IgnoreState | None = None


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
        self._exclude = IgnorePatterns(exclude) if any(text.strip() for text in exclude) else None
        self._above, self._open_prefixes = _prefixes(include)

    def match(self, path: str, parent: FilterState) -> tuple[bool, FilterState]:
        """Return whether a path is sent, and the state for what is in it.

        Args:
            path: Path relative to the directory, with slashes.
            parent: State of its parent.
        """
        is_included, include_state, is_excluded, exclude_state = True, None, False, None
        if self._include is not None:
            is_included, include_state = self._include.match(path, parent.include)
        if self._exclude is not None:
            is_excluded, exclude_state = self._exclude.match(path, parent.exclude)
        return is_included and not is_excluded, FilterState(include_state, exclude_state)

    def may_contain(self, directory: str, state: FilterState) -> bool:
        """Return whether a directory that isn't sent itself may contain files that are.

        Args:
            directory: Its path.
            state: Its own state.
        """
        if self._exclude is not None and state.exclude is not None:
            is_excluded, _ = self._exclude.match(directory, state.exclude)
            if is_excluded and not self._exclude.may_include_below(directory):
                return False
        if self._include is None or self._include.has_exceptions:
            return True
        if state.include is not None and any(state.include.matched):
            return True
        return directory in self._above or any(
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
