"""Mounts by path, from a process that owns its working directory: mount(2), fsopen(2).

An engine keeps its layers under short paths, so that some dozen fit the one page of options mount(2) takes; beyond that
they are given one by one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from pyd_core.errors import KernelError

MS_RDONLY = 0x1
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
_FLAGS = {
    "ro": 0x1,
    "nosuid": 0x2,
    "nodev": 0x4,
    "noexec": 0x8,
    "sync": 0x10,
    "mand": 0x40,
    "dirsync": 0x80,
    "noatime": 0x400,
    "nodiratime": 0x800,
    "bind": MS_BIND,
    "rbind": MS_BIND | MS_REC,
    "relatime": 1 << 21,
    "strictatime": 1 << 24,
    "lazytime": 1 << 25,
}
"""What of an fstab's options is a bit of mount(2), as mount(8) has it; the rest is for the file system."""
_NO_FLAGS = {
    "defaults",
    "rw",
    "suid",
    "dev",
    "exec",
    "async",
    "nomand",
    "atime",
    "diratime",
    "auto",
    "noauto",
    "nofail",
}
_MNT_DETACH = 0x2
_MAX_OPTION_BYTES = 4000
_MAX_DESCRIPTORS = 150
"""Directories whose names as descriptors surely fit one page of options."""
"""Bytes of options mount(2) takes, less what the kernel adds."""
_FSCONFIG_SET_STRING = 1
_FSCONFIG_CMD_CREATE = 6
_SYS_FSOPEN, _SYS_FSCONFIG, _SYS_FSMOUNT, _SYS_MOVE_MOUNT = 430, 431, 432, 429
_SYS_OPEN_TREE, _SYS_MOUNT_SETATTR = 428, 442
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 0x1, os.O_CLOEXEC
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_MOUNT_ATTR_IDMAP = 0x100000
_CLOEXEC = 1

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system as the system call of that name does.

    Raises:
        KernelError: It failed.
    """
    if _libc.mount(source.encode(), os.fsencode(target), kind.encode() or None, flags, options.encode() or None) != 0:
        raise KernelError("mount", ctypes.get_errno(), target)


def split_options(words: Sequence[str]) -> tuple[int, list[str]]:
    """Split options into the flags of mount(2) and those that the file system reads."""
    flags = 0
    for word in words:
        flags |= _FLAGS.get(word, 0)
    return flags, [word for word in words if word not in _FLAGS and word not in _NO_FLAGS]


def is_mounted(target: Path) -> bool:
    """Return whether something is mounted at a path, including binds of the same file system.

    By the mount's id in proc_pid_fdinfo(5): `os.path.ismount` goes by devices, and knows no bind of the same one.

    Raises:
        OSError: There is no such path.
    """
    return _mount_id(target) != _mount_id(target.parent)


def _mount_id(path: Path) -> bytes:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        return next(line for line in Path(f"/proc/self/fdinfo/{fd}").read_bytes().splitlines() if b"mnt_id" in line)
    finally:
        os.close(fd)


def unmount(target: str | Path) -> bool:
    """Detach the topmost mount at a path; return False when nothing is mounted there.

    Raises:
        KernelError: It failed otherwise.
    """
    if _libc.umount2(os.fsencode(target), _MNT_DETACH) == 0:
        return True
    number = ctypes.get_errno()
    if number in {22, 2}:  # EINVAL: no mount point; ENOENT
        return False
    raise KernelError("umount2", number, str(target))


def mount_overlay(lower: Sequence[Path], upper: Path | None, work: Path | None, target: Path) -> None:
    """Mount an overlay, the first lower directory topmost; without `upper` it is read-only.

    Raises:
        KernelError: The kernel has no overlayfs, or refuses these directories.
    """
    upper_options = f",upperdir={upper},workdir={work}" if upper is not None else ""
    options = f"lowerdir={':'.join(map(str, lower))}{upper_options}"
    if len(options) <= _MAX_OPTION_BYTES:
        mount("overlay", str(target), "overlay", 0, options)
        return
    if len(lower) <= _MAX_DESCRIPTORS:
        _mount_by_descriptor(lower, upper_options, target)
    else:
        _mount_many(lower, upper, work, target)


def _mount_by_descriptor(lower: Sequence[Path], upper_options: str, target: Path) -> None:
    """Mount an overlay whose directories have names too long for one page of options, on any kernel."""
    with contextlib.ExitStack() as opened:
        names: list[str] = []
        for path in lower:
            descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, descriptor)
            names.append(f"/proc/self/fd/{descriptor}")
        mount("overlay", str(target), "overlay", 0, f"lowerdir={':'.join(names)}{upper_options}")


def _call(number: int, name: str, *arguments: object) -> int:
    result: int = _libc.syscall(number, *arguments)
    if result < 0:
        raise KernelError(name, ctypes.get_errno())
    return result


def _mount_many(lower: Sequence[Path], upper: Path | None, work: Path | None, target: Path) -> None:
    """Mounts more directories than fit one page of options by any name: `lowerdir+` of Linux 6.5 takes them singly."""
    fs = _call(_SYS_FSOPEN, "fsopen", b"overlay", _CLOEXEC)
    try:
        settings = [("lowerdir+", path) for path in lower]
        if upper is not None and work is not None:
            settings += [("upperdir", upper), ("workdir", work)]
        for key, path in settings:
            _call(_SYS_FSCONFIG, "fsconfig", fs, _FSCONFIG_SET_STRING, key.encode(), os.fsencode(path), 0)
        _call(_SYS_FSCONFIG, "fsconfig", fs, _FSCONFIG_CMD_CREATE, None, None, 0)
        mount_fd = _call(_SYS_FSMOUNT, "fsmount", fs, _CLOEXEC, 0)
    finally:
        os.close(fs)
    _attach(mount_fd, target)


def _attach(mount: int, target: Path) -> None:
    try:
        path = os.fsencode(target)
        _call(_SYS_MOVE_MOUNT, "move_mount", mount, b"", _AT_FDCWD, path, _MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(mount)


def bind_mapped(source: Path, target: Path, namespace: int) -> None:
    """Bind a directory, without what is mounted in it, so that its files' ids are those of a user namespace.

    A file of user 0 belongs there to the namespace's user 0; see mount_setattr(2), of Linux 5.12.

    Raises:
        KernelError: The kernel or the file system has no such mounts.
    """
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    mount_fd = _call(_SYS_OPEN_TREE, "open_tree", _AT_FDCWD, os.fsencode(source), flags)
    try:
        # Private: what is mounted below the source isn't to appear here.
        attributes = struct.pack("=QQQQ", _MOUNT_ATTR_IDMAP, 0, MS_PRIVATE, namespace)
        _call(_SYS_MOUNT_SETATTR, "mount_setattr", mount_fd, b"", _AT_EMPTY_PATH, attributes, len(attributes))
    except KernelError:
        os.close(mount_fd)
        raise
    _attach(mount_fd, target)
