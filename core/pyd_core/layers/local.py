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

OVERLAY_DRIVERS = frozenset({"overlay2", "overlay", "overlayfs"})


def layer_directories(driver: GraphDriver) -> list[Path]:
    """Return the directories of an image's layers, the lowest first; empty where they can't be read from here."""
    if driver.name not in OVERLAY_DRIVERS or not driver.data.get("UpperDir"):
        return []
    lower = [part for part in driver.data.get("LowerDir", "").split(":") if part]
    directories = [Path(part) for part in [driver.data["UpperDir"], *lower]]
    return directories[::-1] if all(os.access(path, os.R_OK | os.X_OK) for path in directories) else []


def read_layer(directory: Path) -> LayerContent:
    """Read a layer's directory (`Documentation/filesystems/overlayfs.rst`: whiteouts, opaque directories).

    Raises:
        OSError: The directory can't be read.
    """
    layer = LayerContent(name=str(directory))
    links: set[tuple[int, int]] = set()
    _walk(directory, layer, links)
    return layer


def _walk(directory: Path, layer: LayerContent, links: set[tuple[int, int]]) -> None:
    with RootDirectory(directory) as top, TreeCursor(top.fd) as cursor:
        prefix = ""
        pending = [cursor.names()]
        while pending:
            if not pending[-1]:
                pending.pop()
                if pending:
                    prefix = prefix[: -len(cursor.leave()) - 1]
                continue
            name = pending[-1].pop()
            path = f"{prefix}{name}"
            status = os.stat(name, dir_fd=cursor.fd, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                cursor.enter(name)
                prefix = f"{path}/"
                pending.append(cursor.names())
                if is_opaque(cursor.fd):
                    layer.opaque_directories.add(path)
            elif stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                layer.removed.add(path)
            else:
                identity = (status.st_dev, status.st_ino)
                is_seen = status.st_nlink > 1 and identity in links
                links.add(identity)
                layer.files[path] = status.st_size if stat.S_ISREG(status.st_mode) and not is_seen else 0
