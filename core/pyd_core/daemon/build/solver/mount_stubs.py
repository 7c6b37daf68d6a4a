"""Mount points that a step needs and its file system lacks: made before it runs, and removed after."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import RootDirectory

KERNEL_TREES = ("/dev", "/proc", "/sys")
"""Mounted by the runtime itself, so that nothing below shows in the file system."""


class MountStubs:
    """Mount points in the root of one step.

    Args:
        root: The root.
    """

    def __init__(self, root: RootDirectory) -> None:
        self._root = root
        self._stubs: list[tuple[str, os.stat_result]] = []
        """Paths that were made, with the status that their directory had before."""
        self._trees: list[tuple[str, os.stat_result]] = []
        """The same for the directories of the kernel's file systems."""

    def make_kernel_trees(self, *, keep: bool = True) -> None:
        """Make the directories of the kernel's file systems; with `keep` they stay, as in BuildKit's images."""
        for path in KERNEL_TREES:
            with contextlib.suppress(KernelError, OSError):
                self._make(path, is_directory=True)
        if keep:
            self._trees, self._stubs = self._stubs, []

    def make(self, targets: Iterable[tuple[str, bool]]) -> None:
        """Make what is missing of mount points, each with whether it is a directory."""
        for target, is_directory in targets:
            tree = next((tree for tree in KERNEL_TREES if target.startswith(f"{tree}/")), None)
            if tree is not None:  # its directory then goes again too, as in BuildKit
                self._stubs += [stub for stub in self._trees if f"/{stub[0]}" == tree]
            else:
                with contextlib.suppress(KernelError, OSError):  # the runtime then reports what is in the way
                    self._make(target, is_directory=is_directory)

    def _make(self, target: str, *, is_directory: bool) -> None:
        parts = [part for part in target.split("/") if part]
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if self._exists(path):
                continue
            parent = self._root.open("/".join(parts[: count - 1]) or "/", os.O_RDONLY | os.O_DIRECTORY)
            try:
                before = os.fstat(parent)
                if count < len(parts) or is_directory:
                    os.mkdir(parts[count - 1], 0o755, dir_fd=parent)
                else:
                    os.mknod(parts[count - 1], stat.S_IFREG | 0o644, dir_fd=parent)
                self._stubs.append((path, before))
            finally:
                os.close(parent)

    def _exists(self, path: str) -> bool:
        try:
            os.close(self._root.open(path, os.O_PATH))
        except KernelError:
            return False
        return True

    def remove(self) -> None:
        """Remove what was made and is still empty, and give its directory the time that it had."""
        for path, before in reversed(self._stubs):
            above, _, name = path.rpartition("/")
            with contextlib.suppress(KernelError, OSError):
                parent = self._root.open(above or "/", os.O_RDONLY | os.O_DIRECTORY)
                try:
                    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        os.rmdir(name, dir_fd=parent)
                    elif stat.S_ISREG(status.st_mode) and not status.st_size:
                        os.unlink(name, dir_fd=parent)
                    os.utime(parent, ns=(before.st_atime_ns, before.st_mtime_ns))
                finally:
                    os.close(parent)
        self._stubs.clear()
