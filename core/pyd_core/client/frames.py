"""The framing of output without a terminal: attach, exec and logs carry stdout and stderr in one stream.

Each frame is a header of eight bytes, `[stream, 0, 0, 0, size big-endian]`, and `size` bytes of output (Engine API,
`POST /containers/{id}/attach`, "Stream format"). With a terminal there is no framing: the bytes are the output.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from pyd_core.errors import ProtocolError, StreamInterrupted

STDIN = 0
"""What the container was sent, echoed to attached clients by some engines."""
STDOUT = 1
STDERR = 2
SYSTEM = 3
"""Not output: the engine says what went wrong in the middle of the stream."""

HEADER = 8
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"


class Frame(NamedTuple):
    """A frame, or a piece of one: big frames are handed on as they arrive, so that no frame size can fill memory.

    `first` and `last` say whether the piece begins and ends its frame; a whole frame has both. In logs each frame
    begins with its own timestamp, also where an engine cut a long line in several.
    """

    stream: int
    data: bytes
    first: bool
    last: bool


class FrameDecoder:
    """Takes a framed stream apart, whatever pieces it arrives in; holds at most seven bytes back."""

    def __init__(self) -> None:
        self._header = b""
        self._stream = STDOUT
        self._left = 0
        self._begun = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return what `data` completes.

        Raises:
            BadAnswer: It isn't a framed stream.
        """
        frames: list[Frame] = []
        if self._header:
            data = self._header + data
            self._header = b""
        place, end = 0, len(data)
        while place < end:
            if self._left == 0:
                if end - place < HEADER:
                    self._header = data[place:]
                    break
                self._stream, self._left = _parse(data[place : place + HEADER])
                self._begun = False
                place += HEADER
                continue
            size = min(self._left, end - place)
            self._left -= size
            frames.append(Frame(self._stream, data[place : place + size], not self._begun, self._left == 0))
            self._begun = True
            place += size
        return frames

    def close(self) -> None:
        """Says that nothing more comes.

        Raises:
            StreamCut: The stream ended within a frame.
        """
        if self._header or self._left:
            raise StreamInterrupted(
                "the engine stopped in the middle of an answer", hint="check that the engine and its host still run"
            )


async def read_frames(chunks: AsyncIterator[bytes]) -> AsyncIterator[Frame]:
    """Take a framed stream apart as it arrives.

    Raises:
        BadAnswer: It isn't a framed stream.
        StreamCut: It ended within a frame.
    """
    decoder = FrameDecoder()
    async for chunk in chunks:
        for frame in decoder.feed(chunk):
            yield frame
    decoder.close()


def is_framed(headers: Mapping[str, str], *, tty: bool) -> bool:
    """Tells framed output from raw.

    The content type decides where the engine distinguishes the two (API 1.42 and newer); older ones and some answers
    of Podman call everything raw, so there the container's (or exec's) `tty` does.

    Args:
        headers: Of the answer, names in lower case.
        tty: Whether the container or exec has a terminal.
    """
    if headers.get("content-type", "").partition(";")[0].strip() == MULTIPLEXED:
        return True
    return not tty


def _parse(header: bytes) -> tuple[int, int]:
    stream = header[0]
    if stream > SYSTEM or header[1:4] != b"\0\0\0":
        raise ProtocolError(f"the engine's stream is not framed as its API promises: {header.hex(' ')}")
    return stream, int.from_bytes(header[4:], "big")
