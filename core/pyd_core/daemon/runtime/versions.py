"""Versions of the programs that the engine uses, each queried once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from pyd_core.daemon.runtime import subprocesses
from pyd_core.tasks import TaskOwner

VERSION_TIMEOUT_S = 5.0
"""Time limit for a program to print its version."""
_VERSION = re.compile(r"version:? (\S{1,60})")
_COMMIT = re.compile(r"^commit: (?!unknown)(\S{1,60})", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """Version and commit of a program; empty if unknown."""

    version: str = ""
    commit: str = ""


class Versions:
    """Cache of programs' versions, which are queried on first use.

    Args:
        tasks: The owner of the queries, so that a client that disconnects doesn't end one for the others.
    """

    def __init__(self, tasks: TaskOwner) -> None:
        self._tasks = tasks
        self._queries: dict[str, asyncio.Task[Release]] = {}

    async def of(self, path: str) -> Release:
        """Return a program's version; empty if the query failed."""
        query = self._queries.get(path)
        if query is None:
            query = self._queries[path] = self._tasks.start(_query(path), name=f"version of {path}")
        return await asyncio.shield(query)


async def _query(path: str) -> Release:
    try:
        async with asyncio.timeout(VERSION_TIMEOUT_S):
            result = await subprocesses.run([path, "--version"])
    except (OSError, TimeoutError):
        return Release()
    if result.code != 0:
        return Release()
    text = result.out.decode(errors="replace")
    version, commit = _VERSION.search(text), _COMMIT.search(text)
    return Release(version[1] if version else "", commit[1] if commit else "")
