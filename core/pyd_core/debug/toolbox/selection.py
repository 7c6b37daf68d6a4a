"""The user's selection of packs and packages for all sessions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.debug.toolbox import store
from pyd_core.errors import ConfigError
from pyd_debugimages.packs import BASE, PACKS, Pack, combine

if TYPE_CHECKING:
    from pyd_core.debug.toolbox.apt import Progress

FILE = "wanted.json"
"""In the store's directory."""


class Selection(msgspec.Struct, frozen=True):
    """The content of a toolbox besides the base.

    Attributes:
        packs: Names of packs.
        packages: Names of Debian packages.
    """

    packs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def pack(self) -> Pack:
        """Return all of it as one pack."""
        if not self.packs and not self.packages:
            return BASE
        return combine([name for name in self.packs if name in PACKS], self.packages)

    def adding(self, names: Sequence[str]) -> Selection:
        """Return the selection with more packs or packages."""
        packs = sorted({*self.packs, *(name for name in names if name in PACKS)} - {BASE.name})
        packages = sorted({*self.packages, *(name for name in names if name not in PACKS)})
        return Selection(tuple(packs), tuple(packages))

    def without(self, names: Sequence[str]) -> Selection:
        """Return the selection without some packs or packages."""
        return Selection(
            tuple(name for name in self.packs if name not in names),
            tuple(name for name in self.packages if name not in names),
        )


def load_selection() -> Selection:
    """Return this user's selection, else root's.

    Raises:
        ConfigError: The file isn't one.
    """
    for root in dict.fromkeys((store.store_root(), store.DEFAULT_ROOT)):
        try:
            with open(os.path.join(root, FILE), "rb") as file:
                return msgspec.json.decode(file.read(), type=Selection)
        except OSError:
            pass
        except msgspec.DecodeError as error:
            raise ConfigError(f"{root}/{FILE} can't be read: {error}", hint="remove it") from error
        if "PYD_TOOLBOX" in os.environ:
            break
    return Selection()


def find_toolbox(progress: Progress, machine: str = "") -> str:
    """Return the directory of the chosen toolbox, which is built first if it is missing.

    Args:
        progress: Receives how far the build is.
        machine: The machine that the toolbox is for, as `uname -m` names it; this one by default.
    """
    pack = load_selection().pack()
    directory = store.find_anywhere(pack, machine)
    if directory is not None:
        return directory

    def report(stage: str, done: int, total: int) -> None:
        progress(f"building the toolbox: {stage}", done, total)

    return str(store.build(pack, Path(store.store_root()), report, machine=machine))


def save_selection(selection: Selection) -> None:
    """Save a selection for all later sessions."""
    root = Path(store.store_root())
    fresh = root / f".{FILE}.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode(selection))
    fresh.rename(root / FILE)
