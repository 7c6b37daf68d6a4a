"""Streams of JSON documents, one a line: events, stats, progress."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from pyd_core.client.transport.base import Stream
from pyd_core.errors import ProtocolError
from pyd_core.model.base import decode

T = TypeVar("T")

LONGEST_RECORD = 16 * 2**20
"""Bytes. No engine sends a document near this; an endless line is an engine gone wrong, and memory is finite."""


async def records(stream: Stream, kind: type[T]) -> AsyncIterator[T]:
    """Decode each line of a stream.

    Raises:
        BadAnswer: A line is not JSON of that type, or has no end.
        StreamCut: The connection ended before the stream did.
    """
    rest = b""
    async for chunk in stream.chunks():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield decode(line, kind, what="stream")
        if len(rest) > LONGEST_RECORD:
            raise ProtocolError(f"the engine sent a record of more than {LONGEST_RECORD} bytes")
    if rest.strip():
        yield decode(rest, kind, what="stream")
