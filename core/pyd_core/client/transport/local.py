"""Transport to engines on this machine: a connection per request, and httpx only for the rest.

Importing httpx takes a tenth of the time until the dashboard has its first list, and a local socket gains nothing from
a pool of connections.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import failures
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.client.transport.stream import open_duplex, open_stream

if TYPE_CHECKING:
    from pyd_core.client.transport.http import HttpTransport

CONNECT_TIMEOUT_S = 10.0
"""For sockets whose engine doesn't accept connections."""


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
        """Send a request and return the complete response."""
        if not isinstance(request.body, bytes):
            return await self._http().request(request)
        loop, parts = asyncio.get_running_loop(), []
        async with self.stream(request) as stream:
            try:
                async with asyncio.timeout(request.timeout) as deadline:
                    async for chunk in stream.chunks():
                        parts.append(chunk)
                        if request.timeout is not None:
                            deadline.reschedule(loop.time() + request.timeout)
            except TimeoutError as error:
                raise failures.interrupted(self._endpoint) from error
            return Response(status=stream.status, headers=stream.headers, body=b"".join(parts))

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Send a request and yield the response once its headers have arrived."""
        if isinstance(request.body, bytes):
            return open_stream(request, self._path, self._endpoint, CONNECT_TIMEOUT_S)
        return self._http().stream(request)

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take over the raw connection."""
        if isinstance(request.body, bytes):
            return await open_duplex(request, self._path, self._endpoint, CONNECT_TIMEOUT_S)
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
