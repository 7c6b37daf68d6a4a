"""HTTP/1.1 over a stream: h11 parses, this moves bytes; attach and exec take whole connections over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, unquote, urlsplit

import h11

from pyd_core.daemon.api.failures import failure
from pyd_core.daemon.api.http import CancelOnDisconnect, HandlerResult, Hijack, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.listener import Clients
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.errors import InvalidInput
from pyd_core.tasks import TaskOwner

SERVER = "pydd (linux)"
RAW = b"application/vnd.docker.raw-stream"
log = logging.getLogger(__name__)

HEAD_TIMEOUT_S = 300.0
"""The same as Docker Engine's."""
MULTIPLEXED = b"application/vnd.docker.multiplexed-stream"


class RequestHead:
    """A request's target and headers, split once."""

    def __init__(self, event: h11.Request) -> None:
        parts = urlsplit(event.target.decode("ascii", "replace"))
        self.method = event.method.decode("ascii")
        self.path = parts.path
        self.many = parse_qs(parts.query, keep_blank_values=True)
        self.query = {name: values[0] for name, values in self.many.items()}
        self.header_lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
        self.headers = dict(self.header_lines)

    def request(
        self, params: dict[str, str], version: tuple[int, int], chunks: Callable[[], AsyncIterator[bytes]]
    ) -> HttpRequest:
        """Return the request for a handler.

        Raises:
            InvalidInput: A name or value holds a null character, which no name on Linux can.
        """
        decoded = {name: unquote(value) for name, value in params.items()}
        if any("\0" in text for text in (*decoded.values(), *(value for many in self.many.values() for value in many))):
            raise InvalidInput("the request's path or a parameter holds a null character")
        return HttpRequest(
            method=self.method,
            path=self.path,
            params=decoded,
            query=self.query,
            many=self.many,
            headers=self.headers,
            header_lines=self.header_lines,
            version=version,
            chunks=chunks,
        )


class _ClientGone(Exception):
    """The client no longer waits for the response."""


class HttpConnection:
    """The connection of a client: it carries request after request until it is closed or taken over."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Callable[[RequestHead, Callable[[], AsyncIterator[bytes]]], Awaitable[Response]],
        clients: Clients | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._clients = clients
        self._served = False
        """Whether the connection has served a request before."""
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._read = asyncio.Event()
        """Set while all of a request's body has been read: further data means that the client is gone."""

    async def serve(self) -> None:
        """Serve requests until the client leaves."""
        try:
            while await self._serve_request():
                self._http.start_next_cycle()
        except (ConnectionError, h11.LocalProtocolError):
            pass  # the client is gone, or took the connection in a way HTTP can't continue from
        except asyncio.CancelledError:
            self._writer.transport.abort()  # a client that reads nothing mustn't delay the engine's stop
            raise
        except Exception:  # a response broke off in the middle: the connection can only be closed
            log.exception("an answer broke off")
        finally:
            with contextlib.suppress(ConnectionError):
                self._writer.close()
                await self._writer.wait_closed()

    async def _request(self) -> type[h11.NEED_DATA | h11.PAUSED] | h11.Event:
        """Read a head; the first bytes of any but the first one start its timeout, `HEAD_TIMEOUT_S`."""
        if self._clients is not None:
            self._clients.waits(self._writer)
        async with asyncio.timeout(None if self._served else HEAD_TIMEOUT_S) as limit:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(65536)
                self._http.receive_data(data)
                if limit.when() is None:
                    limit.reschedule(asyncio.get_running_loop().time() + HEAD_TIMEOUT_S)
        self._served = True
        if self._clients is not None:
            self._clients.works(self._writer)
        return event

    async def _event(self) -> type[h11.NEED_DATA | h11.PAUSED] | h11.Event:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(65536))

    def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)

    async def _serve_request(self) -> bool:
        """Serve a request; return whether the connection can carry another."""
        try:
            event = await self._request()
            head = RequestHead(event) if isinstance(event, h11.Request) else None
        except (h11.RemoteProtocolError, ValueError) as error:  # the latter for an invalid target
            await self._whole(failure(InvalidInput(f"not HTTP: {error}")))
            return False
        except TimeoutError:
            return False
        if head is None:
            return False
        self._read.clear()
        if head.headers.get("content-length", "0") == "0" and "transfer-encoding" not in head.headers:
            self._http.next_event()  # no body: the end of the message has arrived already
        try:
            response = await self._answer(head, self._chunks)
            if isinstance(response, CancelOnDisconnect):
                response = await self._attended(response)
        except _ClientGone:
            return False
        except Exception as error:  # noqa: BLE001 - the edge: every error becomes a response
            response = failure(error)
        if isinstance(response, Hijack):
            await self._hand_over(head, response)
            return False
        if isinstance(response, StreamingResponse):
            await self._stream(response, bare=head.method == "HEAD")
        else:
            await self._whole(response, bare=head.method == "HEAD")
        if self._http.their_state is h11.SEND_BODY:  # an unread body; a small one is discarded
            with contextlib.suppress(InvalidInput):
                async for _ in self._chunks():
                    pass
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _attended(self, answer: CancelOnDisconnect) -> HandlerResult | StreamingResponse:
        async with TaskOwner(on_error=lambda _: None) as owner:
            working = owner.start(answer.work)
            leaving = owner.start(self._until_gone())
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise _ClientGone
            return working.result()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while self._http.their_state is h11.SEND_BODY:
            try:
                event = await self._event()
            except h11.RemoteProtocolError as error:
                raise InvalidInput(f"the request's body broke off: {error}") from error
            if isinstance(event, h11.Data):
                yield bytes(event.data)
        self._read.set()

    def _head(self, status: int, kind: str, headers: list[tuple[str, str]]) -> h11.Response:
        usual = [
            ("Api-Version", "1.45"),
            ("Docker-Experimental", "false"),
            ("Ostype", "linux"),
            ("Server", SERVER),
        ]
        if kind:
            usual.append(("Content-Type", kind))
        return h11.Response(status_code=status, headers=[*usual, *headers])

    async def _whole(self, answer: HandlerResult, *, bare: bool = False) -> None:
        kind = answer.kind if answer.body else ""
        headers = list(answer.headers.items())
        if answer.status not in {204, 304}:
            headers.append(("Content-Length", str(len(answer.body))))
        self._send(self._head(answer.status, kind, headers))
        if answer.body and not bare:
            self._send(h11.Data(data=answer.body))
        self._send(h11.EndOfMessage())
        await self._writer.drain()

    async def _stream(self, answer: StreamingResponse, *, bare: bool) -> None:
        try:
            self._send(self._head(200, answer.kind, list(answer.headers.items())))
            await self._writer.drain()
            async with TaskOwner(on_error=lambda _: None) as owner:
                sending = owner.start(self._pieces(answer, bare=bare))
                leaving = owner.start(self._until_gone())
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not sending.done():
                    raise ConnectionResetError
                sending.result()
        finally:
            answer.done()

    async def _pieces(self, answer: StreamingResponse, *, bare: bool) -> None:
        async with contextlib.aclosing(answer.chunks) as chunks:  # type: ignore[type-var]
            if not bare:
                async for chunk in chunks:
                    if chunk:
                        self._send(h11.Data(data=chunk))
                        await self._writer.drain()
        self._send(h11.EndOfMessage())
        await self._writer.drain()

    async def _until_gone(self) -> None:
        if self._http.their_state is h11.SEND_BODY:  # the handler's reader sees its end
            await self._read.wait()
        while data := await self._reader.read(65536):
            self._http.receive_data(data)

    async def _hand_over(self, head: RequestHead, answer: Hijack) -> None:
        kind = RAW if answer.tty else MULTIPLEXED
        try:  # from here on: the client may be gone before it has received the head
            async for _ in self._chunks():
                pass
            if answer.head:
                self._writer.write(answer.head)
            elif "upgrade" in head.headers:
                self._writer.write(
                    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: %s\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" % kind
                )
            else:
                self._writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n" % kind)
            await self._writer.drain()
            await answer.serve(UpgradedConnection(self._reader, self._writer, self._http.trailing_data[0]))
        finally:
            answer.done()
