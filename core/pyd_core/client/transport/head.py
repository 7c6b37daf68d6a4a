"""Heads of requests and responses (RFC 9112, sections 2 to 5), on a connection used for one request only.

It supports the subset of HTTP/1.1 that engines use on a local socket. Importing a general HTTP library takes longer
than a one-shot command's exchange with the engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from pyd_core.client.transport.base import ApiRequest

MAX_HEAD_BYTES = 100 * 1024
"""Bytes of status line and headers; the httpx transport has the same bound."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9])(?: |$)")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f]")
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00\r\n]")
SWITCHING_PROTOCOLS = 101


class HeadError(ValueError):
    """The data isn't the head of an HTTP response."""


class ResponseHead(NamedTuple):
    """The head of a response; header names are lower-case, `rest` is the data after it."""

    status: int
    headers: Mapping[str, str]
    rest: bytes

    @property
    def is_raw(self) -> bool:
        """Whether the engine handed over the connection."""
        return self.status == SWITCHING_PROTOCOLS


def encode_head(request: ApiRequest) -> bytes:
    """Write a request's line and headers; its body follows whole, or in chunks if it is a stream.

    Raises:
        ValueError: A value would end its line.
    """
    body = request.body
    length = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {"Transfer-Encoding": "chunked"}
    defaults = {"Host": "engine", "Connection": "close"}
    headers = [
        *((name, value) for name, value in defaults.items() if name not in request.headers),
        *((name, value) for name, value in request.header_lines if name not in length),
        *length.items(),
    ]
    if _FORBIDDEN.search(request.target) or any(_FORBIDDEN_IN_VALUE.search(f"{n}{v}") for n, v in headers):
        raise ValueError(f"not fit for a request's head: {request.target!r}")
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def encode_chunk(data: bytes) -> bytes:
    """Frames a piece of a streamed body; an empty piece is its end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class HeadDecoder:
    """Decodes the head of a response that arrives in pieces of any size."""

    def __init__(self) -> None:
        self._arrived = b""

    def feed(self, data: bytes) -> ResponseHead | None:
        """Return the head once it is complete; interim responses (status 1xx but 101) before it are skipped.

        Raises:
            HeadError: It isn't one, or too long.
        """
        self._arrived += data
        while True:
            text, end, rest = self._arrived.partition(b"\r\n\r\n")
            if len(text) > MAX_HEAD_BYTES:
                raise HeadError(f"status line and headers of more than {MAX_HEAD_BYTES} bytes")
            if not end:
                if len(text) >= 8 and not text.startswith(b"HTTP/1."):
                    raise HeadError(f"an answer that begins with {text[:40]!r}")
                return None
            head = _parse(text, rest)
            if head.status >= 200 or head.is_raw:
                return head
            self._arrived = rest


def _parse(text: bytes, rest: bytes) -> ResponseHead:
    first, *lines = text.split(b"\r\n")
    status = _STATUS_LINE.match(first)
    if status is None:
        raise HeadError(f"a status line of {first[:40]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER.match(line)
        if match is None:
            raise HeadError(f"a header of {line[:40]!r}")
        name = match[1].decode("ascii").lower()
        value = match[2].strip(b" \t").decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return ResponseHead(int(status[1]), headers, rest)
