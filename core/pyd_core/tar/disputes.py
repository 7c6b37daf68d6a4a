"""Disputes of tar readers about an archive: Go's reading decides them, unless Go refuses the archive."""

from __future__ import annotations

from pyd_core.tar.entry import HEADER_ONLY, TarEntry, damaged


class Disputes:
    """Disputes about one archive, wherever in it they are and Go's reason to refuse it is."""

    def __init__(self) -> None:
        self._problem = ""
        self._is_refused_by_go = False

    def check(self, entry: TarEntry, *, has_prefix_of_old_go: bool, is_refused_by_go: bool) -> None:
        """Note whether readers dispute a member.

        Args:
            entry: The member.
            has_prefix_of_old_go: Whether its name begins with a prefix that only Go and Python read.
            is_refused_by_go: Whether Go, or Docker Engine after it, refuses an archive with such a member.

        Raises:
            InvalidInput: A member is disputed, and Go refuses the archive.
        """
        if entry.kind == b"0" and entry.size and entry.name.endswith(b"/"):
            self._problem = "a file with contents has a directory's name"
        elif entry.size and entry.kind in HEADER_ONLY:
            self._problem = "a member without data has a size"
        elif has_prefix_of_old_go:
            self._problem = "a GNU header has a prefix"
        self._is_refused_by_go |= is_refused_by_go
        self._decide()

    def refuse(self) -> None:
        """Note that Go refuses the archive.

        Raises:
            InvalidInput: A member is disputed.
        """
        self._is_refused_by_go = True
        self._decide()

    def _decide(self) -> None:
        if self._problem and self._is_refused_by_go:
            raise damaged(self._problem)
