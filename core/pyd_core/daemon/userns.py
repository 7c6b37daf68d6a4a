"""Containers whose root is nobody on the host: `userns-remap`.

Files lie on the disk with the ids containers know them by, as without it. The engine's directory is bound once more
with the ids shifted (mount_setattr(2), `MOUNT_ATTR_IDMAP`), and the overlay of a container is mounted of what is seen
there; so whatever reads or writes layers, writable layers and volumes by their own paths needs to know nothing of it.
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

PASSERS = (1 << 32) - 2
"""As which group those are seen who may pass through containers' directories."""


class Remapping:
    """The ids of containers, and the engine's directory as it is seen with them."""

    def __init__(self, config: DaemonConfig, ids: IdMap) -> None:
        self.ids = ids
        self._root = config.root
        self._view = view_of(config)

    def open(self) -> None:
        """Binds the engine's directory with the ids shifted, and tries an overlay there.

        Raises:
            ConfigError: The remapped root can't get to the directory.
            Unsupported: The kernel or the file system can't do it.
        """
        for place in (self._root, self._view):
            for each in (place, *place.parents):
                if each.exists() and not each.stat().st_mode & 0o001:
                    raise ConfigError(f"userns-remap: only root gets into {each}", hint=f"chmod o+x {each}")
        self._view.mkdir(exist_ok=True)
        # Of the host's own ids none is seen there: a file of an image that is theirs by its number would be theirs.
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
        """Shows the group that may pass through containers' directories as some number: root can do nothing without."""
        group = self.ids.root[1]
        return [IdRange(group, PASSERS, 1)] if group >= sum(each.count for each in self.ids.groups) else []

    def let_pass(self, directory: Path) -> None:
        """Lets the remapped root, and no other user, through a directory of the engine's to what is mounted in it."""
        os.chown(directory, 0, self.ids.root[1])

    def _try(self) -> None:
        """Mounts an overlay and writes there; kernels that can't mount it read-only as well as not at all."""
        trial = self._root / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        names = ("lower", "upper", "work", "merged")
        lower, upper, work, merged = (trial / name for name in names)
        for each in (lower, upper, work, merged):
            each.mkdir(parents=True)
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
        """Mounts an overlay of directories of the engine's with the ids shifted, the first lower one topmost.

        Raises:
            KernelError: The kernel refuses.
        """
        below, above, beside = [self.seen(each) for each in lower], self.seen(upper), self.seen(work)
        # What overlayfs makes for itself it makes as whoever mounts it.
        as_root_of(self.ids, lambda: mount_overlay(below, above, beside, target))

    def close(self) -> None:
        """Takes the view away; containers keep what they have of it."""
        unmount(self._view)
        with contextlib.suppress(OSError):
            self._view.rmdir()

    def seen(self, path: Path) -> Path:
        """Where a path of the engine's directory is seen with the ids shifted."""
        return self._view / path.relative_to(self._root)

    def volume(self, path: Path) -> Path:
        """Where a volume is seen so; itself where another file system is mounted on it, whose ids stay."""
        seen = self.seen(path)
        return seen if path.samefile(seen) else path

    def joined(self, pids: Iterable[int]) -> str:
        """The user namespace of processes whose other namespaces a container shares; empty where it shares none.

        Raises:
            Conflict: They are in several, or in one with other ids.
        """
        found: dict[int, str] = {}
        for pid in pids:
            if IdMap.of(pid) != self.ids:
                raise Conflict(
                    "cannot share a namespace with a container that has other user ids: start it anew, or give both "
                    "--userns=host"
                )
            path = f"/proc/{pid}/ns/user"
            found[Path(path).stat().st_ino] = path
        if len(found) > 1:
            raise Conflict("cannot share the namespaces of two containers when user namespaces are enabled")
        return next(iter(found.values()), "")


def view_of(config: DaemonConfig) -> Path:
    """Where an engine's directory is bound with the ids shifted."""
    return config.run / "ids"


def set_up(config: DaemonConfig, wanted: str) -> Remapping | None:
    """Readies what the setting says; None where it is empty.

    Raises:
        ConfigError: It makes no sense here.
        Unsupported: The kernel or the file system can't do it.
    """
    unmount(view_of(config))  # of an engine that was killed: the ids may be others now
    if not wanted:
        return None
    made = Remapping(config, subids.find(wanted))
    made.open()
    return made


def applies(remapping: Remapping | None, host: HostConfig) -> Remapping | None:
    """The remapping of a container, None where it has the host's ids: `--userns=host`."""
    return None if host.userns_mode == "host" else remapping


def check(remapping: Remapping | None, host: HostConfig) -> None:
    """Refuses what a container can't have with ids of its own, in Docker Engine's words.

    Raises:
        InvalidInput: It asks for it.
    """
    if applies(remapping, host) is None:
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
