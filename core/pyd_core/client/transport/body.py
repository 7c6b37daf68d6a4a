"""Decoder of response bodies that handles many chunks at a time.

Engines send each line of a log as a chunk of its own (RFC 9112 section 7.1). A general HTTP library creates an object
and an event for every chunk; at 20,000 lines per second that takes more than half a processor.
"""

from __future__ import annotations

from collections.abc import Mapping

MAX_SIZE_LINE_BYTES = 4096
"""Bytes of a chunk's size with extensions, and of a trailer line."""

_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class BodyError(ValueError):
    """The body isn't valid HTTP."""


class BodyDecoder:
    """Decodes the body of a response that arrives in pieces of any size.

    Args:
        headers: The response's headers, with lower-case names.
        status: The response's status: some have no body.
        method: The request's method: responses to HEAD have no body either, though their headers announce one.

    Raises:
        BodyError: The headers announce a body of a length that isn't one.
    """

    def __init__(self, headers: Mapping[str, str], status: int, method: str = "GET") -> None:
        self._chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
        self._rest = b""
        self._remaining = 0
        """Bytes that belong to the present chunk, with its line end; or to the whole body."""
        self._last = False
        self.ended = False
        """Whether the body is complete; one without an announced length is when the connection ends."""
        self.until_close = False
        if status in {204, 304} or method == "HEAD":
            self.ended, self._chunked = True, False
        elif not self._chunked:
            length = headers.get("content-length")
            if length is None:
                self.until_close = True
            elif length.isascii() and length.isdecimal() and len(length) < 19:
                self._remaining = int(length)
                self.ended = self._remaining == 0
            else:
                raise BodyError(f"a content length of {length[:40]!r}")

    def feed(self, data: bytes) -> bytes:
        """Return what `data` brings of the body.

        Raises:
            BodyError: It isn't in chunks, though the headers say so.
        """
        if self.until_close:
            return data
        if self._chunked:
            return self._decode_chunks(data)
        data = data[: self._remaining]
        self._remaining -= len(data)
        self.ended = self._remaining == 0
        return data

    def _decode_chunks(self, data: bytes) -> bytes:
        if self._rest:
            data, self._rest = self._rest + data, b""
        parts: list[bytes] = []
        offset, end = 0, len(data)
        while offset < end and not self.ended:
            if self._remaining:
                take = min(self._remaining, end - offset)
                payload = min(max(self._remaining - 2, 0), take)
                if payload:
                    parts.append(data[offset : offset + payload])
                self._remaining -= take
                offset += take
                ending = data[offset - take + payload : offset]
                if ending != b"\r\n"[2 - self._remaining - len(ending) : 2 - self._remaining]:
                    raise BodyError("a chunk longer than announced")
                continue
            line_end = data.find(b"\r\n", offset, offset + MAX_SIZE_LINE_BYTES)
            if line_end < 0:
                if end - offset >= MAX_SIZE_LINE_BYTES:
                    raise BodyError("a chunk without a size")
                self._rest = data[offset:]
                break
            line, offset = data[offset:line_end], line_end + 2
            if self._last:  # trailers: unused fields, then an empty line
                self.ended = not line
                continue
            size = _parse_size(line)
            if size == 0:
                self._last = True
                continue
            line_end = offset + size
            if line_end + 2 <= end and data[line_end] == 13 and data[line_end + 1] == 10:  # CR LF
                parts.append(data[offset:line_end])
                offset = line_end + 2
            else:
                self._remaining = size + 2
        return b"".join(parts)


def _parse_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or not _DIGITS.issuperset(digits):
        raise BodyError(f"a chunk size of {line[:40]!r}")
    return int(digits, 16)
