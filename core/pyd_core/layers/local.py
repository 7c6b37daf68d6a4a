"""Reader for image layers in this machine's store, where it is readable."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pyd_core.layers.content import LayerContent
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.overlay import is_opaque
from pyd_core.linux.tree import TreeCursor
from pyd_core.model.container import GraphDriver

OVERLAYS = frozenset({"overlay2", "overlay", "overlayfs"})


def places(driver: GraphDriver) -> list[Path]:
    """Return the directories of an image's layers, the lowest first; empty where they can't be read from here."""
    if driver.name not in OVERLAYS or not driver.data.get("UpperDir"):
        return []
    lower = [part for part in driver.data.get("LowerDir", "").split(":") if part]
    found = [Path(part) for part in [driver.data["UpperDir"], *lower]]
    return found[::-1] if all(os.access(path, os.R_OK | os.X_OK) for path in found) else []


def read(place: Path) -> LayerContent:
    """Read a layer's directory (`Documentation/filesystems/overlayfs.rst`: whiteouts, opaque directories).

    Raises:
        OSError: The directory can't be read.
    """
    layer = LayerContent(name=str(place))
    links: set[tuple[int, int]] = set()
    _walk(place, "", layer, links)
    return layer


def _walk(place: Path, below: str, layer: LayerContent, links: set[tuple[int, int]]) -> None:
    with RootDirectory(place) as top, TreeCursor(top.fd) as cursor:
        prefix = below
        pending = [cursor.names()]
        while pending:
            if not pending[-1]:
                pending.pop()
                if pending:
                    prefix = prefix[: -len(cursor.leave()) - 1]
                continue
            name = pending[-1].pop()
            path = f"{prefix}{name}"
            found = os.stat(name, dir_fd=cursor.fd, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                cursor.enter(name)
                prefix = f"{path}/"
                pending.append(cursor.names())
                if is_opaque(cursor.fd):
                    layer.emptied.add(path)
            elif stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
                layer.removed.add(path)
            else:
                identity = (found.st_dev, found.st_ino)
                again = found.st_nlink > 1 and identity in links
                links.add(identity)
                layer.files[path] = found.st_size if stat.S_ISREG(found.st_mode) and not again else 0
