"""Streams of JSON documents, one per line: events, stats, progress."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from pyd_core.client.transport.base import Stream
from pyd_core.errors import ProtocolError
from pyd_core.model.base import decode

T = TypeVar("T")

MAX_RECORD_BYTES = 16 * 2**20
"""No engine sends a document near this size; an endless line is a fault and would fill memory."""


async def read_records(stream: Stream, kind: type[T]) -> AsyncIterator[T]:
    """Decode each line of a stream.

    Raises:
        ProtocolError: A line is not JSON of that type, or too long.
        StreamInterrupted: The connection ended before the stream did.
    """
    rest = b""
    async for chunk in stream.chunks():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield decode(line, kind, what="stream")
        if len(rest) > MAX_RECORD_BYTES:
            raise ProtocolError(f"the engine sent a record of more than {MAX_RECORD_BYTES} bytes")
    if rest.strip():
        yield decode(rest, kind, what="stream")
