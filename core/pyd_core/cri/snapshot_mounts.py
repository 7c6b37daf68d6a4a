"""The directories that a snapshot's mounts stack, so that they can be read or mounted without containerd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.errors import Unsupported
from pyd_core.model.container import GraphDriver
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.cri.proto.mount_pb2 import Mount

_DIRECTORIES = frozenset({"lowerdir", "upperdir", "workdir"})
_HARMLESS = frozenset({"bind", "rbind", "ro", "rw", "index", "nfs_export", "volatile", "xino"})
"""Options that leave the meaning of the directories as it is."""


def graph_of(mounts: Sequence[Mount], snapshotter: str) -> GraphDriver:
    """Return the directories as inspect names them for images and containers of the overlay2 driver.

    `UpperDir` is the topmost directory, `LowerDir` the others. The caller never writes any of them.

    Args:
        mounts: The snapshot's mounts.
        snapshotter: The snapshotter that they are of.

    Raises:
        Unsupported: It isn't a stack of directories, or the directories need options of their own.
    """
    if len(mounts) != 1:
        raise _unsupported(f"{len(mounts)} mounts")
    mount = mounts[0]
    options: dict[str, str] = {}
    for option in mount.options:
        name, _, value = option.partition("=")
        if name not in _DIRECTORIES and name not in _HARMLESS:
            raise _unsupported(f"the mount option {safe(option[:80])}")
        options[name] = value
    if mount.type == "bind":
        directories = [mount.source]
    elif mount.type == "overlay":
        upper = options.get("upperdir")
        directories = [*([upper] if upper is not None else []), *options.get("lowerdir", "").split(":")]
    else:
        raise _unsupported(f"a mount of type {safe(mount.type[:80])!r}")
    if not all(_is_plain(directory) for directory in directories):
        raise _unsupported("directories without a plain absolute path")
    return GraphDriver(name=snapshotter, data={"UpperDir": directories[0], "LowerDir": ":".join(directories[1:])})


def _is_plain(path: str) -> bool:
    return path.startswith("/") and ".." not in path.split("/") and "\0" not in path


def _unsupported(what: str) -> Unsupported:
    return Unsupported(f"the snapshot has {what}", reference="snapshot-mounts")
