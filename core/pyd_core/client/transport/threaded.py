"""Transport over TCP and ssh for blocking code: the asynchronous transports, on an event loop in a thread.

`pyd debug` is a sequence of steps around processes and terminals, written without an event loop. Through this transport
a remote engine looks like one on a local socket: no API coroutine suspends, so `run_now` drives it, and a connection
taken over from HTTP is a socket that `poll` can wait on.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

import msgspec

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream, Transport
from pyd_core.client.transport.blocking import CHUNK_BYTES, BlockingDuplex, run_now
from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner

T = TypeVar("T")


class ThreadedTransport:
    """A transport whose coroutines never suspend, whatever the way to the engine; `aclose` ends its thread.

    Args:
        endpoint: Where.
        may_ask: Let ssh ask for passwords and unknown host keys on the terminal.
        opens: Opens the transport on the loop; by default that of an engine.
    """

    def __init__(
        self, endpoint: Endpoint, *, may_ask: bool = False, opens: Callable[[Endpoint], Transport] | None = None
    ) -> None:
        self._endpoint = endpoint
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pyd-engine", daemon=True)
        self._thread.start()
        self._pumps = TaskOwner(on_error=lambda _: None)  # a lost connection shows in the socket's end
        self._inner: Transport = self.run(
            _open(endpoint, opens or (lambda address: open_engine(address, may_ask=may_ask).api.transport))
        )

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the complete response."""
        return self.run(self._inner.request(_with_threaded_body(request)))

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[Stream]:
        """Send a request and yield the response once its headers have arrived."""
        opened: AbstractAsyncContextManager[Stream] = self._inner.stream(_with_threaded_body(request))
        inner = self.run(opened.__aenter__())
        try:
            yield _ThreadedStream(self, inner)
        finally:
            self.run(opened.__aexit__(None, None, None))

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take over the raw connection; what comes of it is a socket."""
        result = self.run(self._inner.upgrade(_with_threaded_body(request)))
        if isinstance(result, Response):
            return result
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.run(self._join(result, theirs))
        return BlockingDuplex(ours, b"", result.headers, self._endpoint)

    async def aclose(self) -> None:
        """Close all connections, and the thread."""
        with suppress(PydError):
            self.run(self._pumps.aclose())
            self.run(self._inner.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _join(self, duplex: Duplex, side: socket.socket) -> None:
        sending = self._pumps.start(_send(duplex, side))
        self._pumps.start(_receive(duplex, side, sending))


async def _send(duplex: Duplex, side: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await loop.sock_recv(side, CHUNK_BYTES):
            await duplex.write(data)
    await duplex.close_write()


async def _receive(duplex: Duplex, side: socket.socket, sending: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        with suppress(OSError):
            while data := await duplex.read(CHUNK_BYTES):
                await loop.sock_sendall(side, data)
    finally:
        sending.cancel()
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()
        await duplex.aclose()


class _ThreadedStream:
    def __init__(self, owner: ThreadedTransport, inner: Stream) -> None:
        self._owner = owner
        self._inner = inner
        self.status = inner.status
        self.headers = inner.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        pieces = self._inner.chunks()
        while (piece := self._owner.run(_next_piece(pieces))) is not None:
            yield piece


async def _open(endpoint: Endpoint, opens: Callable[[Endpoint], Transport]) -> Transport:
    return opens(endpoint)


def _with_threaded_body(request: ApiRequest) -> ApiRequest:
    """Return a request whose body, produced by blocking code, is read in another thread."""
    if isinstance(request.body, bytes):
        return request
    return msgspec.structs.replace(request, body=_read_in_thread(request.body))


async def _read_in_thread(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    pieces = aiter(body)
    while (piece := await asyncio.to_thread(lambda: run_now(_next_piece(pieces)))) is not None:
        yield piece


async def _next_piece(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)
