"""Interface between the Engine API and the network."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request to an engine.

    `target` is path and query, encoded. `body` may be a stream (an archive). `timeout` bounds the wait for the start of
    the response, in seconds; None waits for ever, as `wait` and streams must. A header with several values is sent once
    for each.
    """

    method: str
    target: str
    headers: Mapping[str, str | tuple[str, ...]]
    body: bytes | AsyncIterable[bytes] = b""
    timeout: float | None = None

    @property
    def header_lines(self) -> list[tuple[str, str]]:
        """The headers as pairs, a pair for each value."""
        return [
            (name, value)
            for name, values in self.headers.items()
            for value in ((values,) if isinstance(values, str) else values)
        ]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A complete response; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream(Protocol):
    """A response whose body is read as it arrives."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names are lower-case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, in pieces of any size.

        Raises:
            StreamInterrupted: The connection ended before the body did.
        """
        ...


class Duplex(Protocol):
    """A connection taken over from HTTP (attach, exec): bytes both ways."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response; their content type distinguishes raw from multiplexed."""
        ...

    async def read(self, limit: int = 65536) -> bytes:
        """Return available data, at most `limit` bytes; empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    async def close_write(self) -> None:
        """Signal the end of input to the other side and keep reading."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class Transport(Protocol):
    """A connection to an engine.

    Every method raises `EngineUnavailable` (nothing listens there) or `Refused` (no permission on the socket, a
    certificate that doesn't match) and never an exception of a library.
    """

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the complete response, whatever its status."""
        ...

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Send a request and yield the response once its headers have arrived."""
        ...

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Send a request that asks for the raw connection; a `Response` is the engine's refusal."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
