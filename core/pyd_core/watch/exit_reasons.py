"""Recorded causes of listed containers' ends, read from the history without importing any rule."""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from pyd_core.humanize import docker_duration
from pyd_core.model.container import ContainerSummary

MAX_SKEW_S = 3
"""Seconds between the engine's and the recorder's time of a death."""

_ENDED = re.compile(r"^Exited \((-?\d+)\) (.+) ago$")


class _Verdict(msgspec.Struct):
    cause: str


class _Death(msgspec.Struct):
    """The part of a recorded death that a list shows."""

    ended_ns: int
    verdict: _Verdict
    code: int | None = None


def recorded_reasons(history: Path, listed: Iterable[ContainerSummary], *, now: float) -> dict[str, str]:
    """Return the recorded causes of the ends that a list shows, by container id.

    A list only has the exit code and the age of an end, so a recorded death must match both.

    Args:
        history: The file; a missing or unreadable one gives no causes.
        listed: The engine's list.
        now: Seconds since the epoch.
    """
    ended = {container.id: match for container in listed if (match := _ENDED.match(container.status)) is not None}
    if not ended or not history.exists():
        return {}
    reasons: dict[str, str] = {}
    query = "SELECT body FROM death WHERE container = ? ORDER BY ended_ns DESC LIMIT 1"
    try:
        with closing(sqlite3.connect(f"{history.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)) as database:
            for identity, (code, ago) in ((identity, match.groups()) for identity, match in ended.items()):
                row = database.execute(query, (identity,)).fetchone()
                death = None if row is None else msgspec.json.decode(zlib.decompress(row[0]), type=_Death)
                if death is None or death.code != int(code):
                    continue
                age = now - death.ended_ns / 1e9
                if ago in {docker_duration(age + shift) for shift in range(-MAX_SKEW_S, MAX_SKEW_S + 1)}:
                    reasons[identity] = death.verdict.cause
    except (sqlite3.Error, zlib.error, msgspec.DecodeError):
        return {}
    return reasons
