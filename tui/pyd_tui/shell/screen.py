"""The debug shell's output: a single way to the terminal, so that everything can be recorded."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

from pyd_core.debug.terminal import write_all

_ENTER, _LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
_UNDO = b"\x1b[?1000;1002;1003;1006;2004l\x1b[?25h\x1b[?1l\x1b>\x1b[0m"
"""Mouse reports, bracketed paste, hidden cursor, application keys and colours off (ctlseqs of xterm)."""


class Screen:
    """The user's terminal, written to."""

    def __init__(self) -> None:
        self.recorder: Callable[[bytes], None] | None = None
        """Also gets all output."""
        self._last = b"\n"

    def show(self, data: bytes) -> None:
        """Show bytes as they are."""
        if not data:
            return
        write_all(1, data)
        self._last = (self._last + data)[-64:]
        self._track_alternate(data)
        if self.recorder is not None:
            self.recorder(data)

    _alternate = False
    _edge = b""

    def _track_alternate(self, data: bytes) -> None:
        text = self._edge + data
        entered, left = text.rfind(_ENTER), text.rfind(_LEAVE)
        if entered >= 0 or left >= 0:
            self._alternate = entered > left
        self._edge = text[-len(_ENTER) + 1 :]

    def fresh_line(self) -> None:
        """Move to the start of a line, marking an unterminated line before it.

        The cursor's position is unknown: a mark and blanks up to the edge end on the next line, unless the cursor was
        in the first column; then the mark is overwritten.
        """
        if self._last.endswith(b"\n"):
            return
        columns = os.get_terminal_size(1).columns
        self.show(b"\x1b[7m%\x1b[0m" + b" " * (columns - 1) + b"\r\x1b[K")
        self._last = b"\n"

    def recover(self) -> None:
        """Restore the screen after a program was killed."""
        if self._alternate:
            self.show(_LEAVE + _UNDO)
        elif not self._last.endswith(b"\n"):
            self.show(_UNDO)

    def text(self) -> io.TextIOWrapper:
        """Return a text stream that writes to the screen."""
        return io.TextIOWrapper(io.BufferedWriter(_Raw(self)), encoding="utf-8", errors="replace", line_buffering=True)


class _Raw(io.RawIOBase):
    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def write(self, data: Any, /) -> int:
        self._screen.show(bytes(data))
        return len(data)
