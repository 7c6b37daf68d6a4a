"""The root file systems of containers: their layers, mounted over each other."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.userns import Remapping
from pyd_core.errors import KernelError
from pyd_core.linux.fuse_overlay import mount_fuse_overlay
from pyd_core.linux.mount import mount_overlay, unmount

_NO_OVERLAY = {
    errno.ENODEV: "this kernel has none",
    errno.EINVAL: "the kernel has none over the file system that the engine's data lie on",
}
"""The causes of a refused mount, for the message."""


def make_base(base: Path) -> None:
    """Fill the lowest layer of every container with the engine's mount points, so that none shows up as a change."""
    if (base / ".done").exists():
        return
    shutil.rmtree(base, ignore_errors=True)
    for directory in ("dev/pts", "dev/shm", "dev/mqueue", "proc", "sys", "etc"):
        (base / "root" / directory).mkdir(parents=True, mode=0o755)
    for name in ("etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/console", ".dockerenv"):
        (base / "root" / name).touch(mode=0o755)
    (base / "root/etc/mtab").symlink_to("/proc/mounts")
    (base / ".done").touch()


class RootMounter:
    """Mounts the root file systems of containers.

    Args:
        layers: The layers of all images.
        base: The lowest layer of every container, see `make_base`.
    """

    def __init__(self, layers: LayerStore, base: Path) -> None:
        self._layers = layers
        self._base = base

    def mount(self, container: EngineContainer, remapping: Remapping | None = None) -> None:
        """Mount a container's file system, if it isn't yet.

        Args:
            container: The container.
            remapping: The ids of its files, where its processes have others than the host's.

        Raises:
            Unsupported: Neither the kernel nor fuse-overlayfs can stack its layers.
        """
        # A layer may occur twice, and overlayfs refuses that. The topmost one hides all that a lower one would show.
        lower = [self._layers.directory(diff_id) for diff_id in dict.fromkeys(reversed(container.record.layers))]
        stack = [*lower, self._base]
        if remapping is not None:
            unmount(container.root)  # it may be mounted to be read, with the ids on disk
            remapping.let_pass(container.directory)
            remapping.mount(stack, container.upper, container.work, container.root)
            return
        if os.path.ismount(container.root):
            return
        try:
            mount_overlay(stack, container.upper, container.work, container.root)
        except KernelError as error:
            if error.errno not in _NO_OVERLAY:
                raise
            mount_fuse_overlay(stack, container.upper, container.work, container.root, why=_NO_OVERLAY[error.errno])
