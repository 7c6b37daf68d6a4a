"""Copies of lines on the terminal's clipboard or in a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

MAX_CLIPBOARD_BYTES = 74_994
"""The limit of the clipboard: terminals cut escape sequences at 100,000 bytes (xterm's OSC 52)."""


def clipboard_works(environ: os._Environ[str] | dict[str, str] = os.environ) -> bool:
    """Return whether the terminal may support OSC 52; of those that don't say, only the Linux console lacks it."""
    return environ.get("TERM", "dumb") not in {"linux", "dumb"}


def log_directory() -> Path:
    """Return `pyd/logs` in the user's data directory (XDG Base Directory)."""
    from platformdirs import user_data_path  # noqa: PLC0415 - rarely used

    return user_data_path("pyd", appauthor=False) / "logs"


def save(name: str, lines: Iterable[str], when: datetime) -> tuple[Path, int]:
    """Write lines to a new file that only its owner can read.

    Returns:
        The file, and the number of lines written.

    Raises:
        OSError: It can't be written.
    """
    directory = log_directory()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)[:80].lstrip('.') or 'log'}-{when:%Y%m%d-%H%M%S}"
    count = 0
    for attempt in range(1000):
        path = directory / (f"{stem}.log" if not attempt else f"{stem}-{attempt}.log")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            for line in lines:
                file.write(line + "\n")
                count += 1
        return path, count
    raise FileExistsError(str(directory / stem))
