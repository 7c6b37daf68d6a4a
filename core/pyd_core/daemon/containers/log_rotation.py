"""The rotation of a container's log, `NAME.1` being the newest old file: `--log-opt max-size` with `max-file`.

conmon makes a new file and renames it over the old one, on request and when the file has reached conmon's own limit
(`reopen_k8s_file` of its ctr_logging.c). So the current file has a second name, which keeps it when conmon replaces it
on its own; on request it gets its number first. A size limit with a single file is left to conmon.
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

DEBOUNCE_S = 0.05
"""The minimum time between two checks of a log that is being written."""
PACK_RETRY_INTERVAL_S = 1.0
"""The time until the engine tries again to pack a file that was being read."""
MIN_CONMON_BYTES = 64 << 20
"""The lowest limit for conmon where the engine rotates: more than is written between two checks, so that conmon rotates
only while no engine runs."""


def conmon_limit(limits: LogLimits) -> int:
    """Return the size at which conmon itself replaces its log; 0 is never."""
    return limits.size if limits.files == 1 else max(MIN_CONMON_BYTES, limits.size * limits.files)


def files(log: Path) -> dict[int, Path]:
    """Return the files of a log by their inode numbers, the oldest first.

    A file that exists both packed and unpacked, after a crash, is returned once.
    """
    packed_first = sorted(log.parent.glob(f"{log.name}.*"), key=lambda path: path.suffix != log_compression.SUFFIX)
    older = {_number(path): path for path in packed_first}
    older.pop(0, None)
    by_inode: dict[int, Path] = {}
    for path in [*(older[number] for number in sorted(older, reverse=True)), _second(log), log]:
        with contextlib.suppress(FileNotFoundError):
            by_inode.setdefault(path.stat().st_ino, path)
    return by_inode


def _number(path: Path) -> int:
    text = path.name.removesuffix(log_compression.SUFFIX).rpartition(".")[2]
    return int(text) if text.isdecimal() else 0


def _second(log: Path) -> Path:
    return log.with_name("written.log")


def rotate_before_start(log: Path, limits: LogLimits) -> None:
    """Rotate a full file before a new conmon appends to it, because conmon doesn't count the existing contents."""
    if limits.size and log.exists() and log.stat().st_size >= limits.size:
        if limits.files > 1:
            _follow(log, limits.files)
        _shift(log, limits.files)
        log.unlink()


async def rotate_while_running(container: EngineContainer, limits: LogLimits) -> None:
    """Rotate the log of a running container whenever it is full, until cancelled."""
    log = container.log
    reopened_inode, must_pack = 0, limits.compress
    with FileWatch(container.directory) as watch:
        if not log.exists():
            conmon.reopen_log(container.bundle)
        while True:
            with contextlib.suppress(OSError):  # a full disk, for example; the next check may succeed
                now = log.stat()
                if now.st_ino == reopened_inode:
                    pass  # conmon hasn't reopened it yet
                elif _follow(log, limits.files):
                    reopened_inode, must_pack = 0, limits.compress  # inode numbers are reused
                elif now.st_size >= limits.size:
                    _shift(log, limits.files)  # before conmon reopens it, so that there are never too many files
                    conmon.reopen_log(container.bundle)
                    reopened_inode = now.st_ino
            if must_pack:
                must_pack = not await log_compression.pack_all(container, _older(log))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.changed(), PACK_RETRY_INTERVAL_S if must_pack else None)
            await asyncio.sleep(DEBOUNCE_S)


def _older(log: Path) -> list[Path]:
    """Return the files that are no longer written to."""
    by_inode = files(log)
    if log.exists():
        by_inode.pop(log.stat().st_ino, None)
    return [path for path in by_inode.values() if _number(path)]


def _follow(log: Path, max_files: int) -> bool:
    """Number the file that conmon has replaced, and give the new one its second name; return whether it did."""
    if _same(log.stat(), _second(log)):
        return False
    _shift(log, max_files)
    os.link(log, _second(log))
    return True


def _same(now: os.stat_result, other: Path) -> bool:
    return other.exists() and other.stat().st_ino == now.st_ino


def _shift(log: Path, max_files: int) -> None:
    """Give each of the older files the next number, and the last one written to the first number."""
    newest = _second(log)
    if not newest.exists() or any(_same(newest.stat(), path) for path in _named(log, 1)):
        newest.unlink(missing_ok=True)
        return
    for number in reversed(range(1, max_files)):
        for path in _named(log, number):
            if not path.exists():
                continue
            if number == max_files - 1:
                path.unlink()
            else:
                path.rename(log.with_name(path.name.replace(f"{log.name}.{number}", f"{log.name}.{number + 1}", 1)))
    if max_files > 1:
        newest.rename(log.with_name(f"{log.name}.1"))


def _named(log: Path, number: int) -> tuple[Path, Path]:
    return log.with_name(f"{log.name}.{number}"), log.with_name(f"{log.name}.{number}{log_compression.SUFFIX}")
