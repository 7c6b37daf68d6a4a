"""The body of an answer, taken out of its transfer coding many chunks at a time.

Engines send each line of a log as a chunk of its own (RFC 9112 section 7.1). A general HTTP library makes an object and
an event of every chunk; at 20,000 lines a second that alone takes more than half a processor.
"""

from __future__ import annotations

from collections.abc import Mapping

LONGEST_SIZE_LINE = 4096
"""Bytes of a chunk's size with extensions, and of a trailer line."""

_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class BodyError(ValueError):
    """The body isn't coded as HTTP has it."""


class BodyDecoder:
    """Takes the body out of what follows an answer's headers, whatever pieces it arrives in.

    Args:
        headers: Of the answer, names in lower case.
        status: Of the answer: some have no body.
        method: Of the request: what answers HEAD has no body either, though its headers tell of one.

    Raises:
        BodyError: The headers announce a body of a length that isn't one.
    """

    def __init__(self, headers: Mapping[str, str], status: int, method: str = "GET") -> None:
        self._chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
        self._rest = b""
        self._left = 0
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
                self._left = int(length)
                self.ended = self._left == 0
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
            return self._dechunked(data)
        data = data[: self._left]
        self._left -= len(data)
        self.ended = self._left == 0
        return data

    def _dechunked(self, data: bytes) -> bytes:
        if self._rest:
            data, self._rest = self._rest + data, b""
        parts: list[bytes] = []
        place, end = 0, len(data)
        while place < end and not self.ended:
            if self._left:
                take = min(self._left, end - place)
                payload = min(max(self._left - 2, 0), take)
                if payload:
                    parts.append(data[place : place + payload])
                self._left -= take
                place += take
                ending = data[place - take + payload : place]
                if ending != b"\r\n"[2 - self._left - len(ending) : 2 - self._left]:
                    raise BodyError("a chunk longer than announced")
                continue
            stop = data.find(b"\r\n", place, place + LONGEST_SIZE_LINE)
            if stop < 0:
                if end - place >= LONGEST_SIZE_LINE:
                    raise BodyError("a chunk without a size")
                self._rest = data[place:]
                break
            line, place = data[place:stop], stop + 2
            if self._last:  # trailers: fields nobody reads, then an empty line
                self.ended = not line
                continue
            size = _size(line)
            if size == 0:
                self._last = True
                continue
            stop = place + size
            if stop + 2 <= end and data[stop] == 13 and data[stop + 1] == 10:  # CR LF
                parts.append(data[place:stop])
                place = stop + 2
            else:
                self._left = size + 2
        return b"".join(parts)


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or not _DIGITS.issuperset(digits):
        raise BodyError(f"a chunk size of {line[:40]!r}")
    return int(digits, 16)
