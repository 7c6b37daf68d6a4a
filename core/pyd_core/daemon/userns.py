"""User namespaces of containers, whose root is an unprivileged user of the host: `userns-remap`.

Files have the containers' ids on disk, as without remapping. The engine's directory is bound a second time with
shifted ids (mount_setattr(2), `MOUNT_ATTR_IDMAP`), and containers' overlays are mounted from there. So code that reads
or writes layers and volumes by their own paths isn't affected.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon import subids
from pyd_core.errors import ConfigError, Conflict, InvalidInput, KernelError, Unsupported
from pyd_core.linux.mount import bind_mapped, mount_overlay, unmount
from pyd_core.linux.userns import IdMap, IdRange, as_root_of, hold_namespace

if TYPE_CHECKING:
    from pyd_core.daemon.config import DaemonConfig
    from pyd_core.model.host_config import HostConfig

PASSING_GROUP = (1 << 32) - 2
"""The group, as seen there, that may pass through containers' directories."""


class Remapping:
    """The ids of containers, and the engine's directory mapped to them."""

    def __init__(self, config: DaemonConfig, ids: IdMap) -> None:
        self.ids = ids
        self._root = config.root
        self._view = view_of(config)

    def open(self) -> None:
        """Bind the engine's directory with shifted ids, and try an overlay there.

        Raises:
            ConfigError: The remapped root can't get to the directory.
            Unsupported: The kernel or the file system can't do it.
        """
        for path in (self._root, self._view):
            for directory in (path, *path.parents):
                if directory.exists() and not directory.stat().st_mode & 0o001:
                    raise ConfigError(f"userns-remap: only root gets into {directory}", hint=f"chmod o+x {directory}")
        self._view.mkdir(exist_ok=True)
        # The host's own ids don't exist there: else files of images with these numbers would belong to its users.
        shown = IdMap(users=self.ids.users, groups=(*self.ids.groups, *self._passers()))
        try:
            with hold_namespace(shown) as pid:
                namespace = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    bind_mapped(self._root, self._view, namespace)
                finally:
                    os.close(namespace)
            self._try()
        except KernelError as error:
            self.close()
            raise Unsupported(
                f"userns-remap: files can't be mounted with other ids: {error.message}",
                hint="it takes Linux 5.19, and --root on ext4, XFS or Btrfs; or leave userns-remap out",
                reference="no-idmap",
            ) from error

    def _passers(self) -> list[IdRange]:
        """Map the group that may pass through containers' directories to a number: root can't act without one."""
        group = self.ids.root[1]
        return [IdRange(group, PASSING_GROUP, 1)] if group >= sum(part.count for part in self.ids.groups) else []

    def let_pass(self, directory: Path) -> None:
        """Let only the remapped root pass through one of the engine's directories to the mounts in it."""
        os.chown(directory, 0, self.ids.root[1])

    def _try(self) -> None:
        """Mount an overlay and write to it: kernels without support refuse it or mount it read-only."""
        trial = self._root / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        names = ("lower", "upper", "work", "merged")
        lower, upper, work, merged = (trial / name for name in names)
        for directory in (lower, upper, work, merged):
            directory.mkdir(parents=True)
        try:
            self.mount([lower], upper, work, merged)
            try:
                as_root_of(self.ids, (merged / "file").touch)
            except OSError as error:
                raise KernelError("open", error.errno or 0, str(merged)) from error
        finally:
            unmount(merged)
            shutil.rmtree(trial, ignore_errors=True)

    def mount(self, lower: Sequence[Path], upper: Path, work: Path, target: Path) -> None:
        """Mount an overlay of the engine's directories with shifted ids, the first lower one topmost.

        Raises:
            KernelError: The kernel refuses.
        """
        mapped_lower = [self.mapped_path(path) for path in lower]
        mapped_upper, mapped_work = self.mapped_path(upper), self.mapped_path(work)
        # Overlayfs makes files of its own with the ids of the process that mounts it.
        as_root_of(self.ids, lambda: mount_overlay(mapped_lower, mapped_upper, mapped_work, target))

    def close(self) -> None:
        """Unmount the mapped directory; containers keep their mounts of it."""
        unmount(self._view)
        with contextlib.suppress(OSError):
            self._view.rmdir()

    def mapped_path(self, path: Path) -> Path:
        """Return the path with shifted ids of a path in the engine's directory."""
        return self._view / path.relative_to(self._root)

    def mapped_volume(self, path: Path) -> Path:
        """Return the path of a volume with shifted ids, or its own path where another file system is mounted on it."""
        seen = self.mapped_path(path)
        return seen if path.samefile(seen) else path

    def user_namespace_of(self, pids: Iterable[int]) -> str:
        """Return the user namespace of processes whose other namespaces a container shares; empty where it shares none.

        Raises:
            Conflict: They are in several, or in one with other ids.
        """
        namespaces: dict[int, str] = {}
        for pid in pids:
            if IdMap.of_process(pid) != self.ids:
                raise Conflict(
                    "cannot share a namespace with a container that has other user ids: restart it, or give both "
                    "--userns=host"
                )
            path = f"/proc/{pid}/ns/user"
            namespaces[Path(path).stat().st_ino] = path
        if len(namespaces) > 1:
            raise Conflict("cannot share the namespaces of two containers when user namespaces are enabled")
        return next(iter(namespaces.values()), "")


def view_of(config: DaemonConfig) -> Path:
    """Return the path where an engine's directory is bound with shifted ids."""
    return config.run / "ids"


def set_up(config: DaemonConfig, setting: str) -> Remapping | None:
    """Set up the remapping of the setting; None where it is empty.

    Raises:
        ConfigError: It makes no sense here.
        Unsupported: The kernel or the file system can't do it.
    """
    unmount(view_of(config))  # of a killed engine: the ids may have changed
    if not setting:
        return None
    remapping = Remapping(config, subids.find(setting))
    remapping.open()
    return remapping


def remapping_of(remapping: Remapping | None, host: HostConfig) -> Remapping | None:
    """Return the remapping of a container, None where it has the host's ids: `--userns=host`."""
    return None if host.userns_mode == "host" else remapping


def check(remapping: Remapping | None, host: HostConfig) -> None:
    """Refuse options that don't work with remapped ids, with Docker Engine's messages.

    Raises:
        InvalidInput: It asks for it.
    """
    if remapping_of(remapping, host) is None:
        return
    if host.privileged:
        raise InvalidInput(
            "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace "
            "when running privileged mode"
        )
    if host.network_mode == "host":
        raise InvalidInput("cannot share the host's network namespace when user namespaces are enabled")
    if host.pid_mode == "host":
        raise InvalidInput("cannot share the host PID namespace when user namespaces are enabled")
