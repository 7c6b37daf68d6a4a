"""Network namespaces kept by a file, and doing things inside one: see network_namespaces(7) and setns(2)."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pyd_core.errors import KernelError
from pyd_core.linux.mount import MS_BIND, mount, unmount
from pyd_core.linux.threads import in_thread
from pyd_core.linux.userns import IdMap, hold_namespace

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def create(path: Path) -> None:
    """Make a network namespace and keep it by mounting it on a file; blocks for about a millisecond.

    Raises:
        KernelError: The kernel refuses.
    """

    def enter() -> None:
        if _libc.unshare(_CLONE_NEWNET) != 0:
            raise KernelError("unshare", ctypes.get_errno(), "CLONE_NEWNET")

    path.touch(mode=0o600)
    in_thread(enter, lambda: mount(f"/proc/self/task/{threading.get_native_id()}/ns/net", str(path), "", MS_BIND))


def create_owned(path: Path, owner: Path, ids: IdMap) -> None:
    """Make a network namespace that belongs to a new user namespace, and keep each on a file.

    Raises:
        KernelError: The kernel refuses.
        Unsupported: It has no user namespaces, or unshare(1) is missing.
    """
    with hold_namespace(ids, network=True) as pid:
        for file, kind in ((path, "net"), (owner, "user")):
            file.touch(mode=0o600)
            mount(f"/proc/{pid}/ns/{kind}", str(file), "", MS_BIND)


def run_inside(path: Path | str, work: Callable[[], T]) -> T:
    """Runs work inside a network namespace.

    Raises:
        KernelError: It can't be entered.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def enter() -> None:
        if _libc.setns(fd, _CLONE_NEWNET) != 0:
            raise KernelError("setns", ctypes.get_errno(), str(path))

    try:
        return in_thread(enter, work)
    finally:
        os.close(fd)


def remove(path: Path) -> None:
    """Let go of a namespace; it ends with its last process."""
    unmount(path)
    path.unlink(missing_ok=True)
