"""Which packs and packages this user's sessions have: chosen once, kept for the next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pyd_core.debug.toolbox import store
from pyd_core.errors import ConfigError
from pyd_debugimages.packs import BASE, PACKS, Pack, combine

FILE = "wanted.json"
"""In the store's folder."""


class Selection(msgspec.Struct, frozen=True):
    """What a toolbox holds beside the base.

    Attributes:
        packs: Names of packs.
        packages: Names of Debian packages.
    """

    packs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def pack(self) -> Pack:
        """Returns all of it as one pack."""
        if not self.packs and not self.packages:
            return BASE
        return combine([name for name in self.packs if name in PACKS], self.packages)

    def adding(self, names: Sequence[str]) -> Selection:
        """Returns the selection with more packs or packages."""
        packs = sorted({*self.packs, *(name for name in names if name in PACKS)} - {BASE.name})
        packages = sorted({*self.packages, *(name for name in names if name not in PACKS)})
        return Selection(tuple(packs), tuple(packages))

    def without(self, names: Sequence[str]) -> Selection:
        """Returns the selection without some packs or packages."""
        return Selection(
            tuple(name for name in self.packs if name not in names),
            tuple(name for name in self.packages if name not in names),
        )


def chosen() -> Selection:
    """Returns what this user has chosen, else what root has.

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


def keep(selection: Selection) -> None:
    """Makes a selection the one that sessions have from now on."""
    root = Path(store.store_root())
    fresh = root / f".{FILE}.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode(selection))
    fresh.rename(root / FILE)
