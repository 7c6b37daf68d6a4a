"""Several log files for one container, `NAME.1` being the newest of the old ones: `--log-opt max-size` with `max-file`.

conmon goes on writing to a file that is renamed, until it is told to open its log anew. So a rotation loses nothing,
and what is written to a file has ended when a newer one is there. A size with a single file is conmon's own job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.runtime import conmon
from pyd_core.daemon.times import DIGITS
from pyd_core.errors import InvalidInput
from pyd_core.linux.watch import FileWatch

PAUSE = 0.05
"""Seconds between two looks at a log that is being written."""
_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
"""Docker Engine counts the sizes of logs in powers of ten."""


@dataclass(frozen=True)
class Limits:
    """What of a container's log is kept: so many files of about so many bytes; a size of 0 is no limit."""

    size: int = 0
    files: int = 1

    @classmethod
    def read(cls, options: Mapping[str, str]) -> Limits:
        """Reads the options of `--log-opt`.

        Raises:
            InvalidInput: A value makes no sense.
        """
        size = _size(options["max-size"]) if options.get("max-size") else 0
        files = options.get("max-file", "") or "1"
        if not files.isdecimal() or len(files) > DIGITS:
            raise InvalidInput(f"invalid value for max-file: {files[:40]!r}")
        if int(files) < 1:
            raise InvalidInput("max-file cannot be less than 1")
        return cls(size, int(files) if size else 1)


def _size(text: str) -> int:
    number, unit = text.lower().removesuffix("b"), 1
    if number[-1:] in _UNITS:
        number, unit = number[:-1], _UNITS[number[-1]]
    if not number.isdecimal() or len(number) > DIGITS:
        raise InvalidInput(f"invalid value for max-size: {text[:40]!r}")
    if int(number) == 0:
        raise InvalidInput("max-size must be a positive number")
    return int(number) * unit


def files(log: Path) -> list[Path]:
    """Returns the files of a log that are there, the oldest first."""
    older = [each for each in log.parent.glob(f"{log.name}.*") if each.suffix[1:].isdecimal()]
    older.sort(key=lambda each: -int(each.suffix[1:]))
    return [*older, log] if log.exists() else older


async def keep(container: Container, limits: Limits) -> None:
    """Rotates the log of a running container whenever it is full; runs until it is cancelled."""
    log = container.log
    with FileWatch(container.directory) as watch:
        if not log.exists():  # an engine before this one was ended in the middle
            conmon.reopen_log(container.bundle)
        while True:
            if log.exists() and log.stat().st_size >= limits.size:
                _rotate(log, limits.files)
                conmon.reopen_log(container.bundle)
            await watch.changed()
            await asyncio.sleep(PAUSE)


def _rotate(log: Path, most: int) -> None:
    for number in reversed(range(1, most - 1)):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))
