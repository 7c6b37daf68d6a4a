"""A container's recorded usage and deaths, where a recorder runs on this machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING

from pyd_core.errors import NotFound
from pyd_core.logs.annotation import Annotation
from pyd_core.watch.stats import Usage

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

MAX_AGE_S = 24 * 3600
"""The length of the history that is read."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The usage and deaths of a container; empty where nothing was recorded."""

    samples: tuple[Usage, ...] = ()
    deaths: tuple[Annotation, ...] = ()


async def read_recorded(engine: Provider, container: str) -> Recorded:
    """Read a container's history in a thread.

    Raises:
        ConfigError: The history can't be read.
    """
    del engine  # the history is this machine's, and knows containers by their ids
    return await asyncio.to_thread(_read, container)


def _read(container: str) -> Recorded:
    from pyd_core.watch.history_path import default_path  # noqa: PLC0415 - with the next
    from pyd_core.watch.history_store import HistoryReader  # noqa: PLC0415 - loads SQLite

    try:
        reader = HistoryReader(default_path())
    except NotFound:
        return Recorded()
    try:
        now = int(time())
        points = reader.points(container, since=now - MAX_AGE_S, until=now)
        deaths = reader.deaths(container, limit=100, since_ns=(now - MAX_AGE_S) * 10**9)
    finally:
        reader.close()
    samples = [
        Usage(
            time_ns=point.time * 10**9,
            cpu_percent=None if point.cpu is None else point.cpu / 10,
            memory_bytes=None if point.memory is None else point.memory << 10,
        )
        for point in points
    ]
    marks = [
        Annotation(
            time_ns=death.ended_ns,
            container_id=container,
            name=death.name,
            verb="die",
            detail=f"exit {death.code}, {death.verdict.cause}" if death.code is not None else death.verdict.cause,
        )
        for death in deaths
    ]
    return Recorded(tuple(samples), tuple(marks))
