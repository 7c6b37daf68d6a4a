"""TLS for the engine's TCP port, with two directions that end separately.

A client that attaches closes its side when its input ends, but still reads (RFC 8446, 6.1). asyncio's own TLS closes
the whole connection then, so each connection is carried by an `SSLObject` to a plain one that can be half closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from pyd_core.tasks import TaskOwner

BLOCK = 1 << 16
HANDSHAKE = 10.0
"""How long a handshake may take."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class TlsConnection:
    """A client's TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        self._reader = reader
        self._writer = writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)

    async def serve(self, handler: Serve) -> None:
        """Shake hands, then pass the plain connection to `handler`; a client without a certificate is dropped."""
        try:
            await asyncio.wait_for(self._handshake(), HANDSHAKE)
            ours, theirs = socket.socketpair()
            plain = await asyncio.open_connection(sock=theirs)
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                async with TaskOwner(on_error=lambda _: None) as owner:
                    owner.start(self._inward(writer))
                    serving = owner.start(handler(*plain))
                    await self._outward(reader)
                    await serving
            finally:
                writer.close()
        except (OSError, ssl.SSLError, TimeoutError):
            with contextlib.suppress(OSError):
                await self._flush()  # the alert with the reason
        finally:
            self._writer.close()

    async def _flush(self) -> None:
        data = self._out.read()
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _more(self) -> bool:
        await self._flush()
        data = await self._reader.read(BLOCK)
        self._in.write(data)
        return bool(data)

    async def _handshake(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                if not await self._more():
                    raise ConnectionResetError from None
            else:
                return await self._flush()

    async def _inward(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                try:
                    data = self._tls.read(BLOCK)
                except ssl.SSLWantReadError:
                    if not await self._more():
                        break
                    continue
                except ssl.SSLError:  # closed, as SSLZeroReturnError, or broken
                    break
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    async def _outward(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(BLOCK):
            self._tls.write(data)
            await self._flush()
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        await self._flush()
