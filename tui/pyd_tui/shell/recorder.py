"""Recordings of sessions: output and its timing (https://docs.asciinema.org/manual/asciicast/v2/)."""

from __future__ import annotations

import codecs
import os
import time
from pathlib import Path

import msgspec

from pyd_core.errors import Conflict, PydError


class SessionRecording:
    """Writes output to a file readable only by its owner, since screens show secrets.

    Args:
        path: The file, which must not exist.
        title: The recording's title.

    Raises:
        PydError: The file can't be created.
    """

    def __init__(self, path: Path, title: str) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise Conflict(f"{path} exists", hint="name another file", reference="file-exists") from error
        except OSError as error:
            raise PydError(f"{path} can't be written: {error.strerror}", reference="not-writable") from error
        self._begun = time.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._size = os.get_terminal_size(1)
        header = {
            "version": 2,
            "width": self._size.columns,
            "height": self._size.lines,
            "timestamp": int(time.time()),
            "title": title,
            "env": {"TERM": os.environ.get("TERM", "")},
        }
        self._write(header)

    def __call__(self, data: bytes) -> None:
        """Record output."""
        size = os.get_terminal_size(1)
        if size != self._size:
            self._size = size
            self._event("r", f"{size.columns}x{size.lines}")
        text = self._decoder.decode(data)
        if text:
            self._event("o", text)

    def close(self) -> None:
        """Close the recording."""
        os.close(self._file)

    def _event(self, kind: str, text: str) -> None:
        self._write([round(time.monotonic() - self._begun, 6), kind, text])

    def _write(self, value: object) -> None:
        os.write(self._file, msgspec.json.encode(value) + b"\n")
