"""What was typed in debug shells: a file a target, for its owner alone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from prompt_toolkit.history import FileHistory

MOST_BYTES = 1 << 20
"""Of a file; the older half goes when it is larger."""


def history_path(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where a target's history lies: below `XDG_STATE_HOME`, else `~/.local/state`.

    A name that isn't plain gets a digest added, so that no two share a file and none leads out of the folder.
    """
    state = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME') or '/'}/.local/state"
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in name)
    if plain != name or len(plain) > 100:
        plain = f"{plain[:100]}.{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:8]}"
    return Path(state) / "pyd/shell" / f"{plain}.history"


class TargetHistory(FileHistory):
    """The history of a target. What begins with a blank isn't kept, nor what is the same as the line before.

    Where the file can't be read or written the history lasts as long as the shell.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._newest = ""

    def load_history_strings(self) -> Iterable[str]:
        """The lines, newest first."""
        try:
            self._trim()
            return list(super().load_history_strings())
        except OSError:
            return []

    def append_string(self, string: str) -> None:
        """Take a line that was run."""
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
        if not self._path.exists() or self._path.stat().st_size <= MOST_BYTES:
            return
        data = self._path.read_bytes()[-MOST_BYTES // 2 :]
        shorter = self._path.with_suffix(f".{os.getpid()}")
        shorter.touch(0o600)
        shorter.write_bytes(data[data.find(b"\n# ") + 1 :])
        shorter.rename(self._path)
