"""The seam between the Engine API and the wire."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request to an engine.

    `target` is path and query, encoded. `body` may be a stream (an archive). `timeout` bounds the wait for the answer
    to begin, in seconds; None waits for ever, as `wait` and streams must.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes] = b""
    timeout: float | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream(Protocol):
    """An answer whose body arrives as it is made."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names are lower-case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of any size.

        Raises:
            StreamCut: The connection ended before the body did.
        """
        ...


class Duplex(Protocol):
    """A connection taken over from HTTP (attach, exec): bytes both ways."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the answer that handed it over; its content type tells raw from multiplexed."""
        ...

    async def read(self, limit: int = 65536) -> bytes:
        """Return what has arrived, at most `limit` bytes; empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    async def close_write(self) -> None:
        """Tells the other side that no more input comes, and goes on reading."""
        ...

    async def aclose(self) -> None:
        """End the connection."""
        ...


class Transport(Protocol):
    """A way to an engine.

    Every method raises `EngineUnavailable` (nothing answers there) or `Refused` (no permission on the socket, a
    certificate that doesn't fit) and no exception of a library's.
    """

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the whole answer, whatever its status."""
        ...

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Send a request and hand over the answer as soon as its headers are there."""
        ...

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Send a request that asks for the raw connection; an `Response` is the engine saying no."""
        ...

    async def aclose(self) -> None:
        """End all connections."""
        ...
