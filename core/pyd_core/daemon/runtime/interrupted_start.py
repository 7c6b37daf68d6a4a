"""Processes of a start that was interrupted: conmon, the runtime, and what they have made of the container.

The runtime has no state of a container that is only half made, and so can't end it. A process that waits for memory in
its cgroup, with the OOM killer disabled, would wait there for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from pyd_core.linux.cgroup_names import is_member

KILL_ATTEMPTS = 50
"""How often to look for processes again: a process may fork before it is killed."""
KILL_INTERVAL_S = 0.1

_PROC = Path("/proc")


async def kill(key: str) -> bool:
    """Kill the processes of a container's interrupted start.

    Args:
        key: The container's id.

    Returns:
        Whether all of them are gone. A process that waits for a device can't be killed.
    """
    for _ in range(KILL_ATTEMPTS):
        processes = await asyncio.to_thread(_find, key)
        if not processes:
            return True
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(KILL_INTERVAL_S)
    return False


def _find(key: str) -> set[int]:
    """Return a container's conmon with its descendants, and the members of its cgroup in any hierarchy.

    Zombies are not among them: they have no command line, and are in no cgroup of the container's.
    """
    processes: set[int] = set()
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            if is_member((entry / "cgroup").read_text(), key):
                processes.add(int(entry.name))
            elif (entry / "exe").readlink().name == "conmon" and _has_argument(entry, key):
                processes |= {int(entry.name), *_descendants(int(entry.name))}
    return processes


def _has_argument(process: Path, argument: str) -> bool:
    return argument.encode() in (process / "cmdline").read_bytes().split(b"\0")


def _descendants(pid: int) -> Iterator[int]:
    for file in (_PROC / str(pid) / "task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, file.read_text().split()):
                yield child
                yield from _descendants(child)
