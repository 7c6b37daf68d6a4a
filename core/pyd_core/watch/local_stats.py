"""Readers of containers' counters on the local machine."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from pyd_core.linux.cgroup_names import group_named
from pyd_core.linux.cgroup_stats import (
    MAX_BRIEF_FILES,
    UNIFIED,
    CgroupMount,
    GroupReader,
    read_groups,
    read_mounts,
)
from pyd_core.linux.procfs import read_network, shares_network
from pyd_core.watch.stats import Sample

MAX_DESCRIPTORS = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 3, 1500)
"""Maximum number of files kept open for brief readings; further ones are opened for each reading. The details of the
containers on screen, some dozens, come on top."""


class LocalReader:
    """Reads one container's counters from its control group and its main process.

    Args:
        pid: The main process.
        group: Its control group.
        root: Where `proc` is looked for.
    """

    def __init__(self, pid: int, group: GroupReader, root: Path) -> None:
        self.pid = pid
        self._group = group
        self._root = root
        self._own_network = shares_network(pid, root) is False  # the host's traffic isn't the container's

    def read(self, *, brief: bool = False) -> Sample | None:
        """Read all counters, or only processor time and memory; None when the container has ended."""
        counters = self._group.read(brief=brief)
        if counters is None:
            return None
        network = read_network(self.pid, self._root) if self._own_network and not brief else None
        return Sample(time.time_ns(), time.monotonic_ns(), counters, network)

    def close_details(self) -> None:
        """Close the files that brief readings don't use."""
        self._group.close_details()

    def close(self) -> None:
        """Close its files."""
        self._group.close()


class LocalHost:
    """The control groups of this machine."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._mounts: dict[str, CgroupMount] | None = None

    def reader(self, identity: str, pid: int, *, reader_count: int = 0) -> LocalReader | None:
        """Find a container's counters.

        Args:
            identity: The container's id.
            pid: Its main process.
            reader_count: How many readers there are already.

        Returns:
            None when it doesn't run here: an engine's socket may lead into a virtual machine or to another host, where
            the same number is another process, so the process must be in a group that carries the container's id.
        """
        if pid <= 0:
            return None
        groups = read_groups(pid, self._root)
        if not groups:
            return None
        if self._mounts is None:
            self._mounts = read_mounts(self._root)
        directories: dict[str, str] = {}
        for name, path in groups.items():
            group, mount = group_named(path, identity), self._mounts.get(name)
            if group is not None and mount is not None:
                directories[name] = mount.directory(group)
        if "cpuacct" not in directories and UNIFIED not in directories:
            return None
        keep_open = (reader_count + 1) * MAX_BRIEF_FILES <= MAX_DESCRIPTORS
        return LocalReader(pid, GroupReader(directories, keep_open=keep_open), self._root)
