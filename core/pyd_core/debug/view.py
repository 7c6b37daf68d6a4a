"""A session's view: the target's mounts and the toolbox, in a mount namespace of its own.

Every name in it that the target chose is resolved by descriptor and never through a symbolic link, because the process
that builds it still holds descriptors of the host.

The kernel's interfaces: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), mount_setattr(2), overlayfs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct

from pyd_core.debug.syscalls import (
    AT_FDCWD,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
    CallFailed,
    close_all_but,
    libc,
    open_beneath,
    set_capabilities,
    syscall,
)

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from typing import Any

_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT, _MOUNT_SETATTR = 428, 429, 430, 431, 432, 442

_AT_EMPTY_PATH, AT_RECURSIVE, _AT_SYMLINK_NOFOLLOW = 0x1000, 0x8000, 0x100
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH, _MOVE_MOUNT_T_EMPTY_PATH = 0x4, 0x40
_FSCONFIG_SET_FLAG, _FSCONFIG_SET_STRING, _FSCONFIG_SET_FD, _FSCONFIG_CMD_CREATE = 0, 1, 5, 6
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 0x1, 0x2, 0x4
READ_ONLY = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV
MS_PRIVATE = 1 << 18
_PROC_SUPER_MAGIC = 0x9FA0
_CAP_SYS_ADMIN = 1 << 21

NODES = ("null", "zero", "full", "random", "urandom", "tty")
_MAX_ENTRIES = 4096
"""Entries of the target's /dev that are carried over: a hostile one could hold millions."""
_DIRECTORY = os.O_PATH | os.O_DIRECTORY
_STRICT = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS


def clone_tree(path: str, *, directory: int = AT_FDCWD) -> int:
    """Return a detached copy of the mounts at a path, or at a descriptor; a symlink there is not followed."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | AT_RECURSIVE | _AT_SYMLINK_NOFOLLOW | _AT_EMPTY_PATH
    return syscall("open_tree", _OPEN_TREE, directory, os.fsencode(path), flags, subject=path)


def new_mount(
    kind: str,
    options: dict[str, str],
    attributes: int = _MOUNT_ATTR_NOSUID,
    *,
    flags: tuple[str, ...] = (),
    descriptors: dict[str, int] | None = None,
) -> int:
    """Return a detached mount of a fresh file system."""
    context = syscall("fsopen", _FSOPEN, kind.encode(), os.O_CLOEXEC & 1, subject=kind)
    try:
        for key, value in options.items():
            syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_SET_STRING, key.encode(), value.encode(), 0, subject=key)
        for key, descriptor in (descriptors or {}).items():
            syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_SET_FD, key.encode(), None, descriptor, subject=key)
        for key in flags:
            syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_SET_FLAG, key.encode(), None, 0, subject=key)
        syscall("fsconfig", _FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0, subject=kind)
        mount = syscall("fsmount", _FSMOUNT, context, 1, attributes, subject=kind)
    finally:
        os.close(context)
    return mount


def attach(mount: int, directory: int, name: str) -> None:
    """Put a detached mount on `name` in a directory; an empty name is the directory itself."""
    flags = _MOVE_MOUNT_F_EMPTY_PATH | (0 if name else _MOVE_MOUNT_T_EMPTY_PATH)
    syscall("move_mount", _MOVE_MOUNT, mount, b"", directory, os.fsencode(name), flags, subject=name)


def set_attributes(
    path: str, *, mount: int = AT_FDCWD, flags: int = 0, add: int = 0, clear: int = 0, propagation: int = 0
) -> None:
    """Change the flags of a mount, by path or by the descriptor of a detached one; of no other mount of its files."""
    attributes = struct.pack("QQQQ", add, clear, propagation, 0)
    words = (mount, path.encode(), flags | (0 if path else _AT_EMPTY_PATH), attributes, len(attributes))
    syscall("mount_setattr", _MOUNT_SETATTR, *words, subject=path)


def open_toolbox(path: str) -> int:
    """Return a detached mount of the toolbox that no process of a session can make writable, whatever its rights.

    It is a file system of its own that is read-only itself: an overlay of lower layers alone. Where the kernel makes
    none of it (in a user namespace, or on a stack of overlays) it is a copy of the mount, and read-only as such.
    """
    try:
        tree = _overlay_of(path)
    except (CallFailed, OSError):
        tree = clone_tree(path)
    set_attributes("", mount=tree, flags=AT_RECURSIVE, add=READ_ONLY)
    return tree


def _overlay_of(path: str) -> int:
    # An overlay without an upper layer takes two lower ones; the second is empty, and has its name for this moment.
    # Should this process be killed within it, the next making of a toolbox clears the name away.
    empty = f"{os.path.dirname(path.rstrip('/'))}/.building-empty-{os.getpid()}"
    os.mkdir(empty, 0o755)
    opened: list[int] = []
    try:
        opened += [os.open(directory, _DIRECTORY | os.O_CLOEXEC) for directory in (path, empty)]
        lower = ":".join(f"/proc/self/fd/{descriptor}" for descriptor in opened)
        return new_mount("overlay", {"source": "pyd", "lowerdir": lower}, READ_ONLY, flags=("ro",))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(empty)
        for descriptor in opened:
            os.close(descriptor)


def open_node(name: str) -> int:
    """Return a detached mount of a device node of this machine, whose mode and owner can't be changed through it."""
    tree = clone_tree(f"/dev/{name}")
    set_attributes("", mount=tree, add=_MOUNT_ATTR_RDONLY)
    return tree


def compose(directory: int, extra: dict[str, int], *, hide: frozenset[str] = frozenset()) -> int:
    """Cover a directory with a small tmpfs that shows all it held, and more.

    Args:
        directory: The directory to cover.
        extra: Detached mounts of directories by their new name; these hide what the directory has under the same name.
        hide: More names to leave out.

    Returns:
        A descriptor of the tmpfs.
    """
    kept: list[tuple[str, int, int]] = []
    links: list[tuple[str, str]] = []
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    with os.scandir(listing) as entries:
        for entry in entries:
            if entry.name in extra or entry.name in hide or len(kept) + len(links) >= _MAX_ENTRIES:
                continue
            try:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    links.append((entry.name, os.readlink(entry.name, dir_fd=listing)))
                else:
                    kept.append((entry.name, mode, clone_tree(entry.name, directory=listing)))
            except (OSError, CallFailed):
                continue  # gone since it was listed
    own = os.fstat(listing)  # its root's owner, where the target has a user namespace
    cover = new_mount("tmpfs", {"mode": "0755", "size": "1m", "uid": str(own.st_uid), "gid": str(own.st_gid)})
    attach(cover, directory, "")
    os.close(listing)
    for name, target in links:
        os.symlink(target, name, dir_fd=cover)
    for name, mode, tree in kept:
        _attach_over_stub(cover, name, tree, is_directory=stat.S_ISDIR(mode))
        os.close(tree)
    for name, tree in extra.items():
        _attach_over_stub(cover, name, tree, is_directory=True)
    return cover


def _attach_over_stub(cover: int, name: str, tree: int, *, is_directory: bool) -> None:
    if is_directory:
        os.mkdir(name, 0o755, dir_fd=cover)
    else:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644, dir_fd=cover))
    attach(tree, cover, name)


def open_directory(path: str) -> int:
    """Return a directory of this process's root; -1 where there is none, or a symbolic link."""
    root = os.open("/", _DIRECTORY | os.O_CLOEXEC)
    try:
        return open_beneath(root, path, _DIRECTORY, _STRICT)
    except CallFailed:
        return -1
    finally:
        os.close(root)


def build_view(plan: dict[str, Any], toolbox: int, nodes: dict[str, int], processes: int) -> int:
    """Show the toolbox in this process's own mount namespace, in addition to all that the target has.

    `/` stays the target's own root, so that it shows changes at once and is as writable as the target's. The toolbox is
    under `/dev`, the one directory on which every runtime mounts a file system, so nothing is created in the target.

    Args:
        plan: The session's plan.
        toolbox: A detached mount of the toolbox.
        nodes: Detached mounts of device nodes that the target lacks, by name.
        processes: The target's pid namespace, which this process's children are born into.

    Returns:
        A descriptor of a devpts of the session's own: on the target's, the target could read the user's keystrokes.
    """
    if plan["writable"]:
        set_attributes("/", clear=_MOUNT_ATTR_RDONLY)
    terminals = new_mount("devpts", {"mode": "0620", "ptmxmode": "0666"})
    inside = os.dup(terminals)
    device, proc = open_directory("dev"), open_directory("proc")
    if device < 0 or proc < 0:
        descriptors = {"dev": device, "proc": proc}
        lacking = {name: new_mount("tmpfs", {}) for name, descriptor in descriptors.items() if descriptor < 0}
        root = os.open("/", _DIRECTORY | os.O_CLOEXEC)
        os.fchdir(compose(root, lacking))
        os.chroot(".")
        device, proc = open_directory("dev"), open_directory("proc")
    cover = compose(device, {plan["prefix"].rsplit("/", 1)[1]: toolbox, "pts": terminals}, hide=frozenset({"ptmx"}))
    os.symlink("pts/ptmx", "ptmx", dir_fd=cover)
    for name, node in nodes.items():
        with contextlib.suppress(FileExistsError):
            _attach_over_stub(cover, name, node, is_directory=False)
    if not _shows(proc, os.fstat(processes).st_ino):
        _mount_proc(proc, processes)
    if plan.get("tracing") and (tracing := open_directory("sys/kernel/tracing")) >= 0:
        with contextlib.suppress(CallFailed):  # no such file system: tools say what they miss
            attach(new_mount("tracefs", {}, READ_ONLY), tracing, "")
    return inside


def is_procfs(directory: int) -> bool:
    """Return whether a directory is on a file system of the kernel's for processes."""
    answer = ctypes.create_string_buffer(256)
    return bool(libc.fstatfs(directory, answer) == 0 and struct.unpack_from("l", answer)[0] == _PROC_SUPER_MAGIC)


def _shows(proc: int, namespace: int) -> bool:
    """Return whether a /proc shows the processes of a pid namespace; the target may have put anything there.

    Each procfs has the first process of its own pid namespace under 1, and what is mounted above that isn't looked at.
    Where that process is out of reach, as the host's is for a rootless engine, this process has to be seen as itself.
    """
    if not is_procfs(proc):
        return False
    link = f"pid:[{namespace}]"
    if _link(proc, "1/ns/pid") == link:
        return True
    pid = str(os.getpid())
    return _link(proc, "self") == pid and _link(proc, f"{pid}/ns/pid") == link


def _link(proc: int, name: str) -> str:
    """Return the content of a link of a procfs itself, or nothing if it can't be read."""
    try:
        link = open_beneath(proc, name, os.O_PATH | os.O_NOFOLLOW, RESOLVE_NO_XDEV)
    except CallFailed:
        return ""
    try:
        return os.readlink("", dir_fd=link)
    except OSError:
        return ""
    finally:
        os.close(link)


def _mount_proc(mountpoint: int, processes: int) -> None:
    """Mount the procfs of a pid namespace."""
    with contextlib.suppress(CallFailed):  # Linux 6.17 takes the namespace by its descriptor
        attach(new_mount("proc", {}, descriptors={"pidns": processes}), mountpoint, "")
        return
    child = os.fork()  # the first that is seen in the namespace; it has this one right and this one descriptor
    if child == 0:
        code = 1
        try:
            close_all_but((mountpoint,))
            set_capabilities(_CAP_SYS_ADMIN, _CAP_SYS_ADMIN, 0)
            attach(new_mount("proc", {}), mountpoint, "")
            code = 0
        except CallFailed as error:
            code = error.number
        finally:
            os._exit(code)
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise CallFailed("fsopen", max(code, 0), "proc")
