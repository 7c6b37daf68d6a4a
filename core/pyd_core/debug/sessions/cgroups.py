"""The session's own cgroups, as its supervisor creates, limits and removes them (`cgroup` plans them)."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time

from pyd_core.debug.confine import start_time
from pyd_core.debug.device_rules import take_device_rules
from pyd_core.debug.syscalls import CallFailed

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class SessionCgroups:
    """The session's own cgroups, one a hierarchy, so that no tool counts against the target's limits.

    The supervisor is in them, and so from its beginning is what it starts: a move into a cgroup waits for all
    processors (`cgroup_threadgroup_rwsem`), 15 ms and more, which it has to spare while it has no plan. It stays in
    them to its end, since a move out takes as long; its client removes them then (`cgroup.remove_stale`).

    Their name carries the supervisor's pid namespace, pid and start time: a process that finds them
    later in the same pid namespace can check whether it still lives; others don't try.
    """

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._members: list[int] = []
        self._no_forks = -1

    def enter(self, parents: Sequence[str]) -> None:
        """Create a cgroup in each of these directories that has none yet, and move this process into it."""
        for parent in parents:
            if parent not in self._paths:
                self._make(parent)
                self._move(parent)

    def limit(self, plans: list[dict[str, Any]]) -> None:
        """Set the limits of cgroups; missing ones are created first, and entered once they have their limits."""
        for group in plans:
            parent = group["parent"]
            fresh = parent not in self._paths
            if fresh:
                self._make(parent)
            path = self._paths[parent]
            try:
                for file, value in group["limits"]:
                    with open(f"{path}/{file}", "wb", buffering=0) as limit:
                        limit.write(value.encode())
            except OSError as error:
                raise CallFailed("cgroup", error.errno or 0, str(error.filename or "limits")) from error
            if group.get("devices"):
                take_device_rules(path, group["devices"])
            if fresh:
                self._move(parent)
        for path in self._paths.values():
            if os.path.exists(f"{path}/pids.max"):
                self._no_forks = os.open(f"{path}/pids.max", os.O_WRONLY | os.O_CLOEXEC)

    def _make(self, parent: str) -> None:
        own = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        started = start_time(own)
        os.close(own)
        path = f"{parent}/pyd-{os.stat('/proc/self/ns/pid').st_ino}-{os.getpid()}-{started}"
        try:
            os.mkdir(path, 0o755)
        except OSError as error:
            raise CallFailed("cgroup", error.errno or 0, path) from error
        self._paths[parent] = path

    def _move(self, parent: str) -> None:
        path = self._paths[parent]
        try:
            self._members.append(os.open(f"{path}/cgroup.procs", os.O_RDWR | os.O_CLOEXEC))
            os.write(self._members[-1], b"0")
        except OSError as error:
            raise CallFailed("cgroup", error.errno or 0, path) from error

    def kill(self, *spared: int) -> bool:
        """Kill the members but these, as far as this process's pid namespace shows them; False if there were none."""
        if not self._members:
            return False
        if self._no_forks >= 0:
            os.pwrite(self._no_forks, b"0", 0)
        killed = False
        os.lseek(self._members[0], 0, os.SEEK_SET)
        listing = b""
        while part := os.read(self._members[0], 65536):
            listing += part
        for pid in map(int, listing.split()):
            if pid not in (0, *spared):
                killed = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return killed

    def remove(self) -> None:
        """Move this process out of the cgroups and remove them; remaining members are killed."""
        for parent, path in self._paths.items():
            try:
                with open(f"{parent}/cgroup.procs", "wb", buffering=0) as members:
                    members.write(b"0")
            except OSError:
                continue  # the next session's to remove, when this process is gone
            for _ in range(2000):
                try:
                    os.rmdir(path)
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        break
                    # The kernel sends no event when a killed process has left a version 1 cgroup.
                    self.kill(os.getpid())
                    time.sleep(0.001)
                else:
                    break
        self._paths.clear()
