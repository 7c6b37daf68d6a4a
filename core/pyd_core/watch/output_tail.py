"""Last lines of live output, for containers whose log is removed with them."""

from __future__ import annotations

from collections import deque

from pyd_core.client.frames import STDERR, STDOUT, FrameDecoder
from pyd_core.client.provider import Provider, attaching_of
from pyd_core.errors import PydError
from pyd_core.triage.evidence import EvidenceLogLine

MAX_LINES = 100
MAX_LINE_BYTES = 8192
"""Bytes kept of a line."""

_FRAME_STARTS = frozenset({b"\0\0\0\0", b"\x01\0\0\0", b"\x02\0\0\0"})
"""The first bytes of a frame: its stream and three zeros."""


class OutputTail:
    """Keeps the last lines of an attached container's output, in bounded memory.

    Attaching also works before the start, so nothing is missed even of a short run.

    Args:
        earlier: Lines to report until this tail has lines of its own.
    """

    def __init__(self, earlier: tuple[EvidenceLogLine, ...] = ()) -> None:
        self._earlier = earlier
        self._lines: deque[EvidenceLogLine] = deque(maxlen=MAX_LINES)
        self._rest: dict[int, bytes] = {}

    @property
    def lines(self) -> tuple[EvidenceLogLine, ...]:
        """The last lines, oldest first, including an unfinished one."""
        rest = [_line(stream, data) for stream, data in self._rest.items() if data]
        return (*self._lines, *rest)[-MAX_LINES:] or self._earlier

    def feed(self, stream: int, data: bytes) -> None:
        """Add output of a stream (1 stdout, 2 stderr)."""
        *complete, rest = (self._rest.get(stream, b"") + data).split(b"\n")
        self._lines.extend(_line(stream, line) for line in complete[-MAX_LINES:])
        self._rest[stream] = rest[:MAX_LINE_BYTES]

    async def listen(self, engine: Provider, container: str, *, logs: bool) -> None:
        """Read output until the container ends or the connection does.

        Args:
            engine: The container's engine.
            container: Its name or id.
            logs: Start with the output so far. Its log driver must keep a log: asked for the log of a container without
                one, Docker Engine searches for a plugin for 15 s and starts no container meanwhile (26.1,
                `daemon/logger/factory.go`).
        """
        try:
            connection = await attaching_of(engine).attach(container, logs=logs)
        except PydError:
            return
        decoder: FrameDecoder | None = None
        started = False
        try:
            while chunk := await connection.read():
                if not started:
                    # Not all engines declare framed output in their response, but a frame's head shows it.
                    started, decoder = True, FrameDecoder() if chunk[:4] in _FRAME_STARTS else None
                if decoder is None:
                    self.feed(STDOUT, chunk)
                    continue
                for frame in decoder.feed(chunk):
                    self.feed(frame.stream, frame.data)
        except PydError:
            return
        finally:
            await connection.aclose()


def _line(stream: int, data: bytes) -> EvidenceLogLine:
    text = data[:MAX_LINE_BYTES].rstrip(b"\r").decode(errors="replace")
    return EvidenceLogLine(stream="stderr" if stream == STDERR else "stdout", text=text)
