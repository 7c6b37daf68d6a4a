"""Which versions the programs have that the engine stands on, each asked once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from pyd_core.daemon.runtime import subprocesses
from pyd_core.tasks import TaskOwner

PATIENCE = 5.0
"""Seconds a program may take to tell its version."""
_VERSION = re.compile(r"version:? (\S{1,60})")
_COMMIT = re.compile(r"^commit: (?!unknown)(\S{1,60})", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """What a program tells of itself; empty what it doesn't."""

    version: str = ""
    commit: str = ""


class Versions:
    """Asks programs for their version when somebody first wants to know, and remembers the answer.

    Args:
        tasks: Keeps the asking: a client that leaves doesn't end it for the others.
    """

    def __init__(self, tasks: TaskOwner) -> None:
        self._tasks = tasks
        self._asked: dict[str, asyncio.Task[Release]] = {}

    async def of(self, path: str) -> Release:
        """Returns what a program told; all empty where it failed."""
        asked = self._asked.get(path)
        if asked is None:
            asked = self._asked[path] = self._tasks.start(_ask(path), name=f"version of {path}")
        return await asyncio.shield(asked)


async def _ask(path: str) -> Release:
    try:
        async with asyncio.timeout(PATIENCE):
            done = await subprocesses.run([path, "--version"])
    except (OSError, TimeoutError):
        return Release()
    if done.code != 0:
        return Release()
    text = done.out.decode(errors="replace")
    version, commit = _VERSION.search(text), _COMMIT.search(text)
    return Release(version[1] if version else "", commit[1] if commit else "")
