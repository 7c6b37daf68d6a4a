"""Mounts that no other process sees and that disappear with their process: see mount_namespaces(7)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pyd_core.linux.mount import MS_PRIVATE, MS_REC, mount
from pyd_core.linux.namespaces import NEW_NS, unshare
from pyd_core.linux.threads import in_thread

T = TypeVar("T")


@contextmanager
def in_own_mount_namespace(work: Callable[[], T]) -> Iterator[T]:
    """Run work that mounts file systems, and keep its mounts during the block.

    The mounts are reached by descriptors that the work opens, not by path; a process that is killed leaves none.

    Raises:
        OSError: The kernel gives no namespace.
        KernelError: It can't be made one of its own.
    """

    def enter() -> None:
        unshare(NEW_NS)
        mount("none", "/", "", MS_REC | MS_PRIVATE)

    def body() -> tuple[T, int]:
        result = work()
        return result, os.open(f"/proc/self/task/{threading.get_native_id()}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)

    result, namespace = in_thread(enter, body)
    try:
        yield result
    finally:
        os.close(namespace)
