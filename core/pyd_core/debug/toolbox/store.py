"""The store of toolboxes on the host, and their atomic creation.

```
/var/lib/pyd/toolbox/         root's; others have their own in ~/.local/share/pyd/toolbox, and use root's
    base-1-x86_64 -> 3f9c…   the toolbox for this declaration of the pack
    3f9c…/                   a toolbox; its name is made from the packages in it; never changed once there
    .building-…/             unfinished; the next process to hold the lock removes it
    .lock  .apt/             apt's lists, and the packages of the toolbox made last: most are the next one's too
```
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pyd_core.errors import Refused, ToolboxError
from pyd_debugimages.packs import Pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from pyd_core.debug.toolbox.apt import Apt, PackageArchive, Progress

DEFAULT_ROOT = "/var/lib/pyd/toolbox"

FORMAT = 8
"""Counts changes in how a toolbox is made from the same packages."""

MIN_FREE_BYTES = 320 << 20
"""Bytes: the base toolbox takes 150 MB (200 MB until its zeros are holes), its packages 60 MB, apt's lists
70 MB."""


def store_root() -> str:
    """Return the directory of the store that this user writes: `PYD_TOOLBOX`, root's, or one in their home."""
    if given := os.environ.get("PYD_TOOLBOX"):
        return given
    if os.geteuid() == 0:
        return DEFAULT_ROOT
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(home, "pyd/toolbox")


def find_anywhere(pack: Pack, machine: str = "") -> str | None:
    """Return the directory of the toolbox for a pack, from this user's store or root's."""
    own = store_root()
    there = find(pack, own, machine)
    if there is None and own != DEFAULT_ROOT and "PYD_TOOLBOX" not in os.environ:
        there = find(pack, DEFAULT_ROOT, machine)
    return there


def find(pack: Pack, root: str, machine: str = "") -> str | None:
    """Return the directory of the toolbox for a pack, or None when it isn't there; costs one system call."""
    try:
        return os.path.join(root, os.readlink(os.path.join(root, pointer(pack, machine))))
    except OSError:
        return None


def build(pack: Pack, root: Path, progress: Progress, *, machine: str = "", rebuild: bool = False) -> Path:
    """Make the toolbox for a pack from the host's apt, unless another process just has, and return its directory.

    Args:
        pack: Its content.
        root: The store's directory.
        progress: Receives the progress.
        machine: The machine of its programs, as `uname -m` names it; this one unless given. None of them is run here.
        rebuild: Ask apt even if there is one.

    Raises:
        ToolboxError: No apt, no network, no space; the store is as it was.
        Refused: The store's directory can't be written.
    """
    import shutil  # noqa: PLC0415 - only a build pays for it

    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o755)
        with _locked(root, progress):
            if not rebuild and (there := find(pack, str(root), machine)) is not None:
                return root / there
            for unfinished in root.glob(".building-*"):
                shutil.rmtree(unfinished, ignore_errors=True)
            return _build(pack, root, progress, machine or os.uname().machine)
    except PermissionError as error:
        raise Refused(f"{error.filename or root} can't be written", hint="run pyd debug as root (sudo)") from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise ToolboxError(f"the toolbox can't be built: {error}", hint=f"look at {root}") from error
        raise _no_space(root, 0) from error


def _build(pack: Pack, root: Path, progress: Progress, machine: str) -> Path:
    import shutil  # noqa: PLC0415 - only a build pays for these

    from pyd_core.debug.toolbox.apt import Apt  # noqa: PLC0415

    apt = Apt(root / apt_folder(machine), machine)
    # apt itself blames the network when its lists don't fit.
    if shutil.disk_usage(root).free < MIN_FREE_BYTES:
        raise _no_space(root, MIN_FREE_BYTES)
    apt.update(progress)
    packages, bare = apt.resolve(pack.packages), apt.resolve(pack.bare)
    archives = apt.closure(packages, bare)
    named = {*packages, *bare}
    included = [archive for archive in archives if archive.package in named or not pack.leaves_out(archive.package)]
    # Packages unpack to about three times their size; the archives lie there as well until the end.
    needed = 4 * sum(archive.size for archive in archives)
    if shutil.disk_usage(root).free < needed:
        raise _no_space(root, needed)
    try:
        return _make(pack, root, progress, apt=apt, packages=packages, bare=bare, archives=archives, included=included)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # others fill the disk too
            raise _no_space(root, needed) from error
        raise


def _make(
    pack: Pack,
    root: Path,
    progress: Progress,
    *,
    apt: Apt,
    packages: Sequence[str],
    bare: Sequence[str],
    archives: Sequence[PackageArchive],
    included: Sequence[PackageArchive],
) -> Path:
    """Make the toolbox of packages that are known, or only gives it a name when it is there."""
    import hashlib  # noqa: PLC0415 - only a build pays for these
    import shutil  # noqa: PLC0415

    from pyd_core.debug.toolbox.base_programs import BasePrograms  # noqa: PLC0415
    from pyd_core.debug.toolbox.relocate import relocate  # noqa: PLC0415
    from pyd_core.debug.toolbox.sparse import dig  # noqa: PLC0415
    from pyd_core.debug.toolbox.unpack import unpack  # noqa: PLC0415
    from pyd_core.debug.toolbox.wheels import fetch, unpack_wheel  # noqa: PLC0415

    wheels = fetch(pack.wheels, root / ".wheels", progress, apt.machine)
    lines = [*(f"{archive.file} {archive.checksum}" for archive in included), *(f"{wheel.name}" for wheel in wheels)]
    listing = "\n".join(lines)
    key = hashlib.sha256(
        f"{FORMAT}\n{dict(pack.links)}{dict(pack.arguments)}{dict(pack.bare)}\n{listing}".encode()
    ).hexdigest()[:32]
    if not (root / key).is_dir():
        paths = apt.download(packages, bare, included, progress)
        building = root / f".building-{key}"
        try:
            programs = BasePrograms(building)
            for done, path in enumerate(paths):
                progress("unpacking", done, len(paths))
                package = path.name.partition("_")[0]
                unpack(path, building, only=pack.bare.get(package, ("",)))
                programs.note(package)
            for wheel in wheels:
                unpack_wheel(wheel, building)
            progress("unpacking", len(paths), len(paths))
            progress("relocating", 0, 1)
            relocate(building, pack.links, pack.arguments)
            programs.link()
            dig(building)
            progress("relocating", 1, 1)
            (building / "packages").write_text(listing + "\n")
            building.chmod(0o755)
            os.sync()  # a name that is there must mean content that is there, after a power cut too
            building.rename(root / key)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        apt.drop_others(archives)
        shutil.rmtree(root / ".wheels", ignore_errors=True)
    point(root, pointer(pack, apt.machine), key)
    _drop_old(pack, root, apt.machine)
    return root / key


def point(root: Path, name: str, key: str) -> None:
    """Give a toolbox of the store another name; another toolbox of that name loses it."""
    fresh = root / f".new-{name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(key)
    fresh.rename(root / name)


def drop(pack: Pack, root: Path) -> None:
    """Remove the toolbox for a pack, unless a session holds it."""
    (root / pointer(pack)).unlink(missing_ok=True)
    sweep(root)


def _drop_old(pack: Pack, root: Path, machine: str = "") -> None:
    """Remove toolboxes that a newer one has replaced."""
    machine = machine or os.uname().machine
    for link in root.glob(f"{pack.name}-[0-9]*"):
        if link.is_symlink() and link.name != pointer(pack, machine) and link.name.endswith(machine):
            link.unlink()
    sweep(root)


def sweep(root: Path) -> None:
    """Remove toolboxes that have no name, unless a session holds one: it has a lock on its directory."""
    import fcntl  # noqa: PLC0415 - only a build pays for these
    import shutil  # noqa: PLC0415

    in_use = {path.resolve() for path in root.iterdir() if path.is_symlink()}
    for path in root.iterdir():
        if path.is_symlink() or not path.is_dir() or path.name.startswith(".") or path.resolve() in in_use:
            continue
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def drop_packages(root: Path) -> None:
    """Remove the fetched packages that were kept for the next toolbox, unless one is being made just now."""
    import fcntl  # noqa: PLC0415 - as above
    import shutil  # noqa: PLC0415

    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for archives in root.glob(".apt*/cache/archives"):
            shutil.rmtree(archives, ignore_errors=True)


def pointer(pack: Pack, machine: str = "") -> str:
    """Return the name that the toolbox for a pack has in the store; for this machine unless another is given."""
    return f"{pack.name}-{FORMAT}.{pack.revision}-{machine or os.uname().machine}"


def apt_folder(machine: str) -> str:
    """Return the name that the directory of apt's lists for a machine has in the store."""
    return ".apt" if machine == os.uname().machine else f".apt-{machine}"


@contextmanager
def _locked(root: Path, progress: Progress) -> Iterator[None]:
    import fcntl  # noqa: PLC0415 - only a build pays for it

    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build", 0, 1)
            fcntl.flock(lock, fcntl.LOCK_EX)
            progress("waiting for another build", 1, 1)
        yield


def _no_space(root: Path, needed: int) -> ToolboxError:
    import shutil  # noqa: PLC0415 - only a failure pays for it

    free = shutil.disk_usage(root).free
    reason = f"about {needed >> 20} MB are needed, {free >> 20} MB are free" if needed else f"{free >> 20} MB are free"
    return ToolboxError(
        f"no space for the toolbox in {root}: {reason}",
        hint="make room there, or name another folder with PYD_TOOLBOX",
        reference="toolbox-no-space",
    )
