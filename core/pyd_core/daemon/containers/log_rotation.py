"""Several log files for one container, `NAME.1` being the newest of the old ones: `--log-opt max-size` with `max-file`.

conmon makes its new file beside the old one and renames it into its place: when it is told to open its log anew, and by
itself when it has written as much as it may (`reopen_k8s_file` of its ctr_logging.c). The file it writes to has a
second name: its number once conmon has been told, and until then one by which it isn't gone when conmon replaces it by
itself. A size with a single file is conmon's own job.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from pyd_core.daemon.containers import log_compression
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.log_options import LogLimits
from pyd_core.daemon.runtime import conmon
from pyd_core.linux.watch import FileWatch

PAUSE = 0.05
"""Seconds between two looks at a log that is being written."""
RETRY = 1.0
"""Seconds until a file that was being read is looked at again, to pack it."""
UNWATCHED = 64 << 20
"""Bytes after which conmon begins anew by itself where the engine keeps several files: more than is written between two
looks, so that it matters only while no engine runs."""


def most(limits: LogLimits) -> int:
    """Returns the bytes after which conmon is to begin its log anew by itself; 0 is never."""
    return limits.size if limits.files == 1 else max(UNWATCHED, limits.size * limits.files)


def files(log: Path) -> dict[int, Path]:
    """Returns the files of a log that are there by their inode numbers, the oldest first.

    A file that is both packed and not, because a crash came in between, is there once.
    """
    packed_first = sorted(log.parent.glob(f"{log.name}.*"), key=lambda each: each.suffix != log_compression.SUFFIX)
    older = {_number(each): each for each in packed_first}
    older.pop(0, None)
    found: dict[int, Path] = {}
    for path in [*(older[number] for number in sorted(older, reverse=True)), _second(log), log]:
        with contextlib.suppress(FileNotFoundError):
            found.setdefault(path.stat().st_ino, path)
    return found


def _number(path: Path) -> int:
    text = path.name.removesuffix(log_compression.SUFFIX).rpartition(".")[2]
    return int(text) if text.isdecimal() else 0


def _second(log: Path) -> Path:
    return log.with_name("written.log")


def begin(log: Path, limits: LogLimits) -> None:
    """Puts a full file away before another conmon, which doesn't count what is there, goes on writing to it."""
    if limits.size and log.exists() and log.stat().st_size >= limits.size:
        if limits.files > 1:
            _follow(log, limits.files)
        _shift(log, limits.files)
        log.unlink()


async def keep(container: EngineContainer, limits: LogLimits) -> None:
    """Rotates the log of a running container whenever it is full; runs until it is cancelled."""
    log = container.log
    told, due = 0, limits.compress
    with FileWatch(container.directory) as watch:
        if not log.exists():
            conmon.reopen_log(container.bundle)
        while True:
            with contextlib.suppress(OSError):  # on a full disk, say; the next look may do better
                now = log.stat()
                if now.st_ino == told:
                    pass  # conmon hasn't come to it yet
                elif _follow(log, limits.files):
                    told, due = 0, limits.compress  # numbers of inodes are used again
                elif now.st_size >= limits.size:
                    _shift(log, limits.files)  # before conmon begins anew: there are never more files than there may be
                    conmon.reopen_log(container.bundle)
                    told = now.st_ino
            if due:
                due = not await log_compression.pack_all(container, _older(log))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.changed(), RETRY if due else None)
            await asyncio.sleep(PAUSE)


def _older(log: Path) -> list[Path]:
    """Returns the files that nothing is written to any more."""
    found = files(log)
    if log.exists():
        found.pop(log.stat().st_ino, None)
    return [path for path in found.values() if _number(path)]


def _follow(log: Path, most: int) -> bool:
    """Numbers the file that conmon has replaced, and gives the new one its second name."""
    if _same(log.stat(), _second(log)):
        return False
    _shift(log, most)
    os.link(log, _second(log))
    return True


def _same(now: os.stat_result, other: Path) -> bool:
    return other.exists() and other.stat().st_ino == now.st_ino


def _shift(log: Path, most: int) -> None:
    """Gives each of the older files the next number, and the one that was last written to the first."""
    newest = _second(log)
    if not newest.exists() or any(_same(newest.stat(), each) for each in _named(log, 1)):
        newest.unlink(missing_ok=True)
        return
    for number in reversed(range(1, most)):
        for path in _named(log, number):
            if not path.exists():
                continue
            if number == most - 1:
                path.unlink()
            else:
                path.rename(log.with_name(path.name.replace(f"{log.name}.{number}", f"{log.name}.{number + 1}", 1)))
    if most > 1:
        newest.rename(log.with_name(f"{log.name}.1"))


def _named(log: Path, number: int) -> tuple[Path, Path]:
    return log.with_name(f"{log.name}.{number}"), log.with_name(f"{log.name}.{number}{log_compression.SUFFIX}")
