"""The last lines of containers that are removed, for who judges their end: their logs go with them."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.daemon.containers import log_compression, log_rotation

if TYPE_CHECKING:
    from pyd_core.daemon.containers.container import EngineContainer

MAX_BYTES = 64 << 10
"""Of each container's log."""
MAX_CONTAINERS = 64

Piece = tuple[int, bytes]
"""What was written to a stream, 1 or 2, at a time."""


class LastOutput:
    """Keeps the end of each removed container's output for a while, once somebody wants it.

    Attributes:
        wanted: Whether anything is kept.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._kept: OrderedDict[str, list[Piece]] = OrderedDict()

    def keep(self, container: EngineContainer) -> None:
        """Reads the end of a log that is about to be removed."""
        if not self.wanted:
            return
        self._kept[container.id] = _end(container)
        while len(self._kept) > MAX_CONTAINERS:
            self._kept.popitem(last=False)

    def of(self, key: str) -> Sequence[Piece] | None:
        """Returns what a removed container wrote last, the oldest first; None where nothing is known of it."""
        return self._kept.get(key)


def _end(container: EngineContainer) -> list[Piece]:
    data = b""
    for path in reversed(list(log_rotation.files(container.log).values())):
        if len(data) >= MAX_BYTES or path.suffix == log_compression.SUFFIX:
            break  # that is enough, or packed
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - (MAX_BYTES - len(data))))
                data = file.read() + data
        except OSError:
            break
    pieces: list[Piece] = []
    for line in data.split(b"\n"):
        parts = line.split(b" ", 3)
        if len(parts) == 4 and parts[1] in {b"stdout", b"stderr"}:
            text = parts[3] if parts[2] == b"P" else parts[3] + b"\n"
            pieces.append((1 if parts[1] == b"stdout" else 2, text))
    return pieces
