"""Engines on this machine: a connection for each request, and httpx only for what it alone can do.

Loading httpx takes a tenth of the time in which the dashboard has its first list, and a local socket gains nothing by a
pool of connections.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import failures
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.client.transport.stream import open_stream

if TYPE_CHECKING:
    from pyd_core.client.transport.http import HttpTransport

CONNECT_TIMEOUT = 10.0
"""Seconds until a socket whose engine doesn't accept anybody is given up."""


class LocalTransport:
    """A transport over a unix socket.

    Args:
        endpoint: What error messages call it.
        path: Its socket.
    """

    def __init__(self, endpoint: Endpoint, path: Path) -> None:
        self._endpoint = endpoint
        self._path = path
        self._pool: HttpTransport | None = None

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the whole answer."""
        if not isinstance(request.body, bytes):
            return await self._http().request(request)
        loop, parts = asyncio.get_running_loop(), []
        async with self.stream(request) as stream:
            try:
                async with asyncio.timeout(request.timeout) as bound:
                    async for chunk in stream.chunks():
                        parts.append(chunk)
                        if request.timeout is not None:
                            bound.reschedule(loop.time() + request.timeout)
            except TimeoutError as error:
                raise failures.cut(self._endpoint) from error
            return Response(status=stream.status, headers=stream.headers, body=b"".join(parts))

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Send a request and hand over the answer as soon as its headers are there."""
        if isinstance(request.body, bytes):
            return open_stream(request, self._path, self._endpoint, CONNECT_TIMEOUT)
        return self._http().stream(request)

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take the raw connection over."""
        return await self._http().upgrade(request)

    async def aclose(self) -> None:
        """End the connections that are kept."""
        if self._pool is not None:
            await self._pool.aclose()

    def _http(self) -> HttpTransport:
        if self._pool is None:
            from pyd_core.client.transport.http import HttpTransport  # noqa: PLC0415 - see above

            self._pool = HttpTransport(self._endpoint)
        return self._pool
