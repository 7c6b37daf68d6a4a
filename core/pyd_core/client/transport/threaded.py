"""Engines over TCP and ssh for code that blocks: the asynchronous transports, on an event loop in a thread.

What `pyd debug` does is a sequence of steps around processes and terminals, written without an event loop. Here an
engine elsewhere looks to it as one on a local socket does: nothing in a noun's coroutine suspends, so `run_now` drives
it, and a connection taken over from HTTP is a socket that `poll` can wait on.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterable, AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

import msgspec

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream, Transport
from pyd_core.client.transport.blocking import CHUNK, BlockingDuplex, run_now
from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner

T = TypeVar("T")


class ThreadedTransport:
    """A transport whose coroutines never suspend, whatever the way to the engine; `aclose` ends its thread.

    Args:
        endpoint: Where.
        may_ask: Let ssh ask for passwords and unknown host keys on the terminal.
    """

    def __init__(self, endpoint: Endpoint, *, may_ask: bool = False) -> None:
        self._endpoint = endpoint
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pyd-engine", daemon=True)
        self._thread.start()
        self._pumps = TaskOwner(on_error=lambda _: None)  # a lost connection shows in the socket's end
        self._inner: Transport = self.do(_open(endpoint, may_ask=may_ask))

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the whole answer."""
        return self.do(self._inner.request(_here(request)))

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[Stream]:
        """Send a request and hand over the answer as soon as its headers are there."""
        opened: AbstractAsyncContextManager[Stream] = self._inner.stream(_here(request))
        inner = self.do(opened.__aenter__())
        try:
            yield _ThreadedStream(self, inner)
        finally:
            self.do(opened.__aexit__(None, None, None))

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take the raw connection over; what comes of it is a socket."""
        result = self.do(self._inner.upgrade(_here(request)))
        if isinstance(result, Response):
            return result
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.do(self._join(result, theirs))
        return BlockingDuplex(ours, b"", result.headers, self._endpoint)

    async def aclose(self) -> None:
        """End all connections, and the thread."""
        with suppress(PydError):
            self.do(self._pumps.aclose())
            self.do(self._inner.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return what came of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _join(self, duplex: Duplex, side: socket.socket) -> None:
        sending = self._pumps.start(_send(duplex, side))
        self._pumps.start(_receive(duplex, side, sending))


async def _send(duplex: Duplex, side: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await loop.sock_recv(side, CHUNK):
            await duplex.write(data)
    await duplex.close_write()


async def _receive(duplex: Duplex, side: socket.socket, sending: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        with suppress(OSError):
            while data := await duplex.read(CHUNK):
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
        while (piece := self._owner.do(_take(pieces))) is not None:
            yield piece


async def _open(endpoint: Endpoint, *, may_ask: bool) -> Transport:
    return open_engine(endpoint, may_ask=may_ask).session.transport


def _here(request: ApiRequest) -> ApiRequest:
    """A request whose body, made by code that blocks, is read in a thread beside the loop's."""
    if isinstance(request.body, bytes):
        return request
    return msgspec.structs.replace(request, body=_in_thread(request.body))


async def _in_thread(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    pieces = aiter(body)
    while (piece := await asyncio.to_thread(lambda: run_now(_take(pieces)))) is not None:
        yield piece


async def _take(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)
