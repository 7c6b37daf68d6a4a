"""Lines of the log files that container runtimes write."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from pyd_core.client.frames import STDERR, STDOUT

MAX_LINE_BYTES = 1 << 20
"""Longer lines of a file are cut: the runtimes themselves write pieces of 16 KiB."""


class LogRecord(NamedTuple):
    """A line of a file, or the piece of a line.

    Attributes:
        stamp: The time as the runtime wrote it, in RFC 3339.
        stream: `STDOUT` or `STDERR`.
        data: The text, with its line break if it is complete.
    """

    stamp: bytes
    stream: int
    data: bytes


class LineParser(Protocol):
    """Parses a line of a file."""

    def __call__(self, line: bytes) -> LogRecord | None:
        """Return what a line without its break says; None for one that isn't in the format."""
        ...


def parse_cri(line: bytes) -> LogRecord | None:
    """Parse `TIME STREAM TAGS TEXT` (Kubernetes, `KEP 1972` and `pkg/kubelet/kuberuntime/logs`); `P` is a piece."""
    parts = line.split(b" ", 3)
    if len(parts) < 3 or parts[1] not in {b"stdout", b"stderr"} or not parts[0][:4].isdigit():
        return None
    text = parts[3] if len(parts) == 4 else b""
    ends = b"" if parts[2].split(b":", 1)[0] == b"P" else b"\n"
    return LogRecord(parts[0], STDOUT if parts[1] == b"stdout" else STDERR, text + ends)


class _JsonLine(msgspec.Struct):
    log: str = ""
    stream: str = ""
    time: str = ""


_decoder = msgspec.json.Decoder(_JsonLine)


def parse_json(line: bytes) -> LogRecord | None:
    """Parse a line of the `json-file` driver, which nerdctl and Docker Engine share."""
    try:
        entry = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not entry.time[:4].isdecimal():
        return None
    stream = STDERR if entry.stream == "stderr" else STDOUT
    return LogRecord(entry.time.encode(), stream, entry.log.encode(errors="replace"))


class RecordFilter:
    """Keeps the records between two times and turns them into the frames of the Engine API.

    A piece of a line has the time of the line's beginning: only the beginning is judged and stamped.

    Args:
        since: Start, in seconds since the epoch; empty for none.
        until: End, in the same form.
        streams: The streams to keep.
        timestamps: Whether to begin each line with its time.
        framed: Whether to frame the lines.
    """

    def __init__(self, *, since: str, until: str, streams: frozenset[int], timestamps: bool, framed: bool) -> None:
        self._since = bound_ns(since)
        self._until = bound_ns(until)
        self._streams = streams
        self._timestamps = timestamps
        self._framed = framed
        self._inside: dict[int, bool] = {}

    def render(self, record: LogRecord) -> bytes:
        """Return the bytes of a record; none where it isn't wanted."""
        inside = self._inside.get(record.stream)
        begins = inside is None
        if inside is None:
            inside = record.stream in self._streams and self._within(record.stamp)
        if record.data.endswith(b"\n"):
            self._inside.pop(record.stream, None)
        else:
            self._inside[record.stream] = inside
        if not inside:
            return b""
        data = record.stamp + b" " + record.data if self._timestamps and begins else record.data
        return bytes([record.stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data if self._framed else data

    def _within(self, stamp: bytes) -> bool:
        if self._since is None and self._until is None:
            return True
        time_ns = stamp_ns(stamp)
        return (self._since is None or time_ns >= self._since) and (self._until is None or time_ns < self._until)


def stamp_ns(stamp: bytes) -> int:
    """Return a time in nanoseconds since the epoch; 0 for one that can't be read."""
    from pyd_core.model.base import parse_time  # noqa: PLC0415 - only for bounded logs

    try:
        return parse_time(stamp.decode("ascii")) or 0
    except (ValueError, OverflowError):
        return 0


def bound_ns(text: str) -> int | None:
    """Return the nanoseconds of seconds with up to nine decimals; None for an empty text."""
    if not text:
        return None
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)
