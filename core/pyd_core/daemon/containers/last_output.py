"""The last output of removed containers, for the recorder of deaths: their logs are removed with them."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.daemon.containers import log_compression, log_rotation

if TYPE_CHECKING:
    from pyd_core.daemon.containers.container import EngineContainer

MAX_BYTES = 64 << 10
"""How much of each container's log is kept."""
MAX_CONTAINERS = 64

OutputPiece = tuple[int, bytes]
"""A stream, 1 or 2, and a piece of its output."""


class LastOutput:
    """Keeps the end of each removed container's output for a while.

    Attributes:
        enabled: Whether anything is kept.
    """

    def __init__(self) -> None:
        self.enabled = False
        self._kept: OrderedDict[str, list[OutputPiece]] = OrderedDict()

    def keep(self, container: EngineContainer) -> None:
        """Keep the end of a log that is about to be removed."""
        if not self.enabled:
            return
        self._kept[container.id] = _end(container)
        while len(self._kept) > MAX_CONTAINERS:
            self._kept.popitem(last=False)

    def of(self, key: str) -> Sequence[OutputPiece] | None:
        """Return a removed container's last output, the oldest first; None for an unknown container."""
        return self._kept.get(key)


def _end(container: EngineContainer) -> list[OutputPiece]:
    data = b""
    for path in reversed(list(log_rotation.files(container.log).values())):
        if len(data) >= MAX_BYTES or path.suffix == log_compression.SUFFIX:
            break  # enough, or packed
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - (MAX_BYTES - len(data))))
                data = file.read() + data
        except OSError:
            break
    pieces: list[OutputPiece] = []
    for line in data.split(b"\n"):
        parts = line.split(b" ", 3)
        if len(parts) == 4 and parts[1] in {b"stdout", b"stderr"}:
            text = parts[3] if parts[2] == b"P" else parts[3] + b"\n"
            pieces.append((1 if parts[1] == b"stdout" else 2, text))
    return pieces
