"""The line history of debug shells: one file per target, readable only by its owner."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from prompt_toolkit.history import FileHistory

MAX_FILE_BYTES = 1 << 20
"""Size of a history file beyond which its older half is dropped."""


def history_path(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the path of a target's history: below `XDG_STATE_HOME`, else `~/.local/state`.

    An unusual name gets a digest added, so that no two share a file and none leads out of the directory.
    """
    state = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME') or '/'}/.local/state"
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in name)
    if plain != name or len(plain) > 100:
        plain = f"{plain[:100]}.{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:8]}"
    return Path(state) / "pyd/shell" / f"{plain}.history"


class TargetHistory(FileHistory):
    """A target's history, without lines that start with a blank or repeat the one before.

    If the file can't be read or written, the history lasts as long as the shell.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._newest = ""

    def load_history_strings(self) -> Iterable[str]:
        """Return the lines, newest first."""
        try:
            self._trim()
            return list(super().load_history_strings())
        except OSError:
            return []

    def append_string(self, string: str) -> None:
        """Add a line that was run."""
        if string.startswith(" ") or not string.strip() or string == self._newest:
            return
        self._newest = string
        super().append_string(string)

    def store_string(self, string: str) -> None:
        """Write a line to the file."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            super().store_string(string.encode(errors="replace").decode())
        except OSError:
            pass

    def _trim(self) -> None:
        if not self._path.exists() or self._path.stat().st_size <= MAX_FILE_BYTES:
            return
        data = self._path.read_bytes()[-MAX_FILE_BYTES // 2 :]
        shorter = self._path.with_suffix(f".{os.getpid()}")
        shorter.touch(0o600)
        shorter.write_bytes(data[data.find(b"\n# ") + 1 :])
        shorter.rename(self._path)
