"""The base tools of a toolbox, in a directory of their own, which comes first on `PATH`.

Interpreters of languages aren't among them, although the base has one: a container's scripts need its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from pyd_debugimages.packs import BASE

DIRECTORY = "first"
_INTERPRETERS = ("python3", "libpython3")
_DIRECTORIES = ("sbin", "bin")


class BasePrograms:
    """Notes which programs come from packages of the base, while these are unpacked.

    Args:
        tree: The toolbox's directory.
    """

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        packages = {name for package in (*BASE.packages, *BASE.bare) for name in package.split("|")}
        self._packages = {name for name in packages if not name.startswith(_INTERPRETERS)}
        self._known: set[str] = set()
        self._base = set(BASE.links)

    def note(self, package: str) -> None:
        """Note the programs that a package has just added."""
        present = {name for directory in _DIRECTORIES for name in self._names(directory)}
        if package in self._packages:
            self._base |= present - self._known
        self._known |= present

    def link(self) -> None:
        """Link the base tools in their directory."""
        first = self._tree / DIRECTORY
        first.mkdir(exist_ok=True)
        for directory in _DIRECTORIES:
            for name in self._base.intersection(self._names(directory)):
                link = first / name
                link.unlink(missing_ok=True)
                link.symlink_to(f"../{directory}/{name}")

    def _names(self, directory: str) -> list[str]:
        path = self._tree / directory
        return os.listdir(path) if path.is_dir() else []
