"""Framing of output without a terminal: attach, exec and logs carry stdout and stderr in one stream.

Each frame is a header of eight bytes, `[stream, 0, 0, 0, size big-endian]`, and `size` bytes of output (Engine API,
`POST /containers/{id}/attach`, "Stream format"). With a terminal there is no framing: the bytes are the output.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from pyd_core.errors import ProtocolError, StreamInterrupted

STDIN = 0
"""Input to the container, which some engines echo to attached clients."""
STDOUT = 1
STDERR = 2
SYSTEM = 3
"""An error of the engine in the middle of the stream; not output."""

HEADER_BYTES = 8
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"
PLAIN = "text/x-log"
"""Lines of text, from providers that keep both outputs as one."""


class Frame(NamedTuple):
    """A frame, or a piece of one: large frames are passed on as they arrive, so that none can fill memory.

    `first` and `last` say whether the piece begins and ends its frame; a whole frame has both. In logs each frame
    begins with its own timestamp, also where an engine cut a long line in several.
    """

    stream: int
    data: bytes
    first: bool
    last: bool


class FrameDecoder:
    """Decodes a framed stream that arrives in pieces of any size; buffers at most seven bytes."""

    def __init__(self) -> None:
        self._header = b""
        self._stream = STDOUT
        self._remaining = 0
        self._in_frame = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes.

        Raises:
            ProtocolError: It isn't a framed stream.
        """
        frames: list[Frame] = []
        if self._header:
            data = self._header + data
            self._header = b""
        offset, end = 0, len(data)
        while offset < end:
            if self._remaining == 0:
                if end - offset < HEADER_BYTES:
                    self._header = data[offset:]
                    break
                self._stream, self._remaining = _parse(data[offset : offset + HEADER_BYTES])
                self._in_frame = False
                offset += HEADER_BYTES
                continue
            size = min(self._remaining, end - offset)
            self._remaining -= size
            frames.append(Frame(self._stream, data[offset : offset + size], not self._in_frame, self._remaining == 0))
            self._in_frame = True
            offset += size
        return frames

    def close(self) -> None:
        """Note the end of the stream.

        Raises:
            StreamInterrupted: The stream ended within a frame.
        """
        if self._header or self._remaining:
            raise StreamInterrupted(
                "the engine stopped in the middle of an answer", hint="check that the engine and its host still run"
            )


async def read_frames(chunks: AsyncIterator[bytes]) -> AsyncIterator[Frame]:
    """Decode a framed stream as it arrives.

    Raises:
        ProtocolError: It isn't a framed stream.
        StreamInterrupted: It ended within a frame.
    """
    decoder = FrameDecoder()
    async for chunk in chunks:
        for frame in decoder.feed(chunk):
            yield frame
    decoder.close()


def is_framed(headers: Mapping[str, str], *, tty: bool) -> bool:
    """Return whether output is framed.

    The content type decides where the engine distinguishes the two (API 1.42 and newer); older ones and some answers
    of Podman call everything raw, so there the container's (or exec's) `tty` does.

    Args:
        headers: Of the answer, names in lower case.
        tty: Whether the container or exec has a terminal.
    """
    content_type = headers.get("content-type", "").partition(";")[0].strip()
    if content_type == MULTIPLEXED:
        return True
    return not tty and content_type != PLAIN


def _parse(header: bytes) -> tuple[int, int]:
    stream = header[0]
    if stream > SYSTEM or header[1:4] != b"\0\0\0":
        raise ProtocolError(f"the engine's stream is not framed as its API promises: {header.hex(' ')}")
    return stream, int.from_bytes(header[4:], "big")
