"""A line of a container's output."""

from __future__ import annotations

from typing import Literal

import msgspec

StreamName = Literal["stdout", "stderr"]

MAX_LINE_BYTES = 2**20
"""The rest of a longer line is counted and dropped."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A line of output as the container wrote it.

    A struct without cyclic garbage collection, because ten thousand arrive per second.
    """

    container_id: str
    name: str
    """The container's name."""
    stream: StreamName
    """Always `stdout` with a terminal."""
    time_ns: int
    """The engine's time, nanoseconds since the epoch; 0 if it is unknown."""
    data: bytes
    """Without newline and timestamp. Untrusted: pass it through `sanitise.safe_bytes` before it reaches a terminal."""
    cut: int = 0
    """Bytes dropped from the end of an overlong line."""
