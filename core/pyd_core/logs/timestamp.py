"""The timestamp before each line of output: RFC 3339, `2024-05-01T10:00:00.123456789Z message`."""

from __future__ import annotations

from pyd_core.model.base import parse_time

MAX_STAMP_BYTES = 36
"""Bytes of `2024-05-01T10:00:00.123456789+02:00` and the space."""


class StampReader:
    """Parses timestamps of lines; caches the last second, which neighbours usually share."""

    def __init__(self) -> None:
        self._second = b""
        self._second_ns = 0

    def split(self, line: bytes) -> tuple[int, int]:
        """Parse the timestamp at the start of a line.

        Returns:
            The time in nanoseconds since the epoch and the offset of the message; 0 and 0 without a timestamp.
        """
        if line[19:20] == b"." and line[29:31] == b"Z ":  # Docker Engine: always nine decimals, always UTC
            digits = line[20:29]
            if line[:19] == self._second and digits.isdigit():
                return self._second_ns + int(digits), 31
            return self._parse_stamp(line, 31)
        end = line.find(b" ", 0, MAX_STAMP_BYTES)
        return self._parse_stamp(line, end + 1 if end >= 0 else len(line))

    def _parse_stamp(self, line: bytes, message: int) -> tuple[int, int]:
        if message > MAX_STAMP_BYTES:
            return 0, 0
        time_ns = parse_time(line[:message].rstrip(b" ").decode("ascii", errors="replace"))
        if time_ns is None:
            return 0, 0
        if message == 31 and line[29:30] == b"Z":
            self._second = line[:19]
            self._second_ns = time_ns - time_ns % 1_000_000_000
        return time_ns, message
