"""A line of a container's output."""

from __future__ import annotations

from typing import Literal

import msgspec

StreamName = Literal["stdout", "stderr"]

MAX_LINE_BYTES = 2**20
"""Bytes of one line that are kept; what a line has beyond them is counted and dropped."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line, as the container wrote it.

    A struct without cyclic garbage collection, because ten thousand of them arrive in a second.
    """

    container_id: str
    name: str
    """The container's name."""
    stream: StreamName
    """With a terminal all output is `stdout`."""
    time_ns: int
    """When the engine read it, nanoseconds since the epoch; 0 when the engine doesn't say."""
    data: bytes
    """Without newline and timestamp. Hostile: goes through `sanitise.safe_bytes` before it reaches a terminal."""
    cut: int = 0
    """Bytes dropped from the end of an overlong line."""
