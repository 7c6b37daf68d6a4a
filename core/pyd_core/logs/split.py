"""Splitters of output streams into lines.

Docker Engine stores a line of more than 16 KiB in pieces and sends each with its own timestamp, the last with the
newline. In framed output each piece is a frame. Raw output (a terminal's) has no such marks, so a timestamp is searched
where a piece would end.
"""

from __future__ import annotations

from pyd_core.client.frames import STDERR, STDOUT, SYSTEM, Frame, FrameDecoder
from pyd_core.errors import EngineError
from pyd_core.logs.line import MAX_LINE_BYTES, LogLine, StreamName
from pyd_core.logs.timestamp import MAX_STAMP_BYTES, StampReader

PIECE_BYTES = 16 * 1024
"""Docker Engine cuts longer lines (moby, daemon/logger/copier.go, defaultBufSize)."""


class _Partial:
    """A line without its newline so far."""

    __slots__ = ("cut", "fresh", "pieces", "size", "time_ns")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0
        self.cut = 0
        self.time_ns = 0
        self.fresh = True

    def add(self, data: bytes, limit: int) -> None:
        room = limit - self.size
        if len(data) > room:
            self.cut += len(data) - room
            data = data[:room]
        if data:
            self.pieces.append(data)
            self.size += len(data)
        self.fresh = False


class FramedSplitter:
    """Splits framed output with timestamps; buffers at most one unfinished line per stream."""

    def __init__(self, container_id: str, name: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._id = container_id
        self._name = name
        self._max_line_bytes = max_line_bytes
        self._frames = FrameDecoder()
        self._stamps = StampReader()
        self._partial: dict[int, _Partial] = {STDOUT: _Partial(), STDERR: _Partial()}
        self._head = b""
        self.last_ns = 0
        """The time of the newest piece of an unfinished line."""

    def feed(self, chunk: bytes) -> list[LogLine]:
        """Return the lines that `chunk` completes.

        Raises:
            ProtocolError: The stream isn't framed.
            EngineError: The engine reports an error within the stream.
        """
        lines: list[LogLine] = []
        identity, name, split = self._id, self._name, self._stamps.split
        for frame in self._frames.feed(chunk):
            stream, data, first, last = frame
            partial = self._partial.get(stream)
            if partial is None:
                if stream == SYSTEM:
                    error_text = data[:200].decode(errors="replace").strip()
                    raise EngineError(f"the engine can't continue the log of {name}: {error_text}")
                continue
            if first and last and partial.fresh and data[-1:] == b"\n" and len(data) <= self._max_line_bytes:
                time_ns, start = split(data)
                if data.find(b"\n", start) == len(data) - 1:
                    stream_name: StreamName = "stdout" if stream == STDOUT else "stderr"
                    lines.append(LogLine(identity, name, stream_name, time_ns, data[start:-1]))
                    continue
            self._feed_frame(partial, frame, lines)
        return lines

    def close(self) -> list[LogLine]:
        """Return the unfinished lines at the end of the stream.

        Raises:
            StreamInterrupted: It ended within a frame.
        """
        self._frames.close()
        return self.rest()

    def rest(self) -> list[LogLine]:
        """Return and drop the unfinished lines."""
        return [
            self._finish(partial, stream) for stream, partial in self._partial.items() if partial.pieces or partial.cut
        ]

    def _feed_frame(self, partial: _Partial, frame: Frame, lines: list[LogLine]) -> None:
        data = frame.data
        if self._head:  # the frame's timestamp was split
            data, self._head = self._head + data, b""
            first = True
        else:
            first = frame.first
        if first:
            if not frame.last and len(data) < MAX_STAMP_BYTES:
                self._head = data
                return
            time_ns, start = self._stamps.split(data)
            if partial.fresh:
                partial.time_ns = time_ns
            self.last_ns = time_ns
            data = data[start:]
        pieces = data.split(b"\n")
        for piece in pieces[:-1]:
            partial.add(piece, self._max_line_bytes)
            time_ns = partial.time_ns
            lines.append(self._finish(partial, frame.stream))
            partial.time_ns = time_ns  # several lines in one frame share its timestamp
        if pieces[-1]:
            partial.add(pieces[-1], self._max_line_bytes)

    def _finish(self, partial: _Partial, stream: int) -> LogLine:
        name: StreamName = "stdout" if stream == STDOUT else "stderr"
        line = LogLine(self._id, self._name, name, partial.time_ns, b"".join(partial.pieces), partial.cut)
        partial.clear()
        return line


class RawSplitter:
    """Splits a terminal's output with timestamps; all of it is `stdout`."""

    def __init__(self, container_id: str, name: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._id = container_id
        self._name = name
        self._max_line_bytes = max_line_bytes
        self._stamps = StampReader()
        self._rest = b""
        self._partial = _Partial()
        self.last_ns = 0
        """The time of the unfinished line."""

    def feed(self, chunk: bytes) -> list[LogLine]:
        """Return the lines that `chunk` completes."""
        *complete, self._rest = (self._rest + chunk).split(b"\n")
        lines = [self._line(data) for data in complete]
        while len(self._rest) > PIECE_BYTES + MAX_STAMP_BYTES:
            self._rest = self._take_piece(self._rest)
        return lines

    def close(self) -> list[LogLine]:
        """Return the unfinished line at the end of the stream."""
        return self.rest()

    def rest(self) -> list[LogLine]:
        """Return and drop the unfinished line."""
        rest, self._rest = self._rest, b""
        return [self._line(rest)] if rest or not self._partial.fresh else []

    def _take_piece(self, data: bytes) -> bytes:
        """Add a piece without its timestamp to the line, and return the rest."""
        time_ns, start = self._stamps.split(data)
        if self._partial.fresh:
            self._partial.time_ns = time_ns
        self.last_ns = time_ns or self.last_ns
        self._partial.add(data[start : start + PIECE_BYTES], self._max_line_bytes)
        return data[start + PIECE_BYTES :]

    def _line(self, data: bytes) -> LogLine:
        partial = self._partial
        data = self._take_piece(data.removesuffix(b"\r"))
        while data:
            data = self._take_piece(data)
        line = LogLine(self._id, self._name, "stdout", partial.time_ns, b"".join(partial.pieces), partial.cut)
        partial.clear()
        return line
