"""HTTP/2 on a connection that was taken over, with a short path for data.

h2 and grpclib take 100 µs for a data frame, and a build context has tens of thousands. Data frames are therefore taken
out of the byte stream before h2 sees them, and their flow control is accounted for here. All other frames, and the end
of a stream, are h2's.
"""

from __future__ import annotations

import asyncio
import struct
from functools import partial
from typing import TYPE_CHECKING, cast

from grpclib import protocol
from grpclib.config import Configuration
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes

from pyd_core.buildkit.rpc.buffer import StreamBuffer

if TYPE_CHECKING:
    from h2.events import StreamReset

STREAM_WINDOW_BYTES = 16 << 20
CONNECTION_WINDOW_BYTES = 64 << 20
MAX_FRAME_BYTES = 1 << 20
MAX_HEADER_BYTES = 4 << 20
"""Exclude patterns of a context travel as headers, and so do the details of an error."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD_BYTES = 9
_DATA = 0
_WINDOW_UPDATE = 8
_END_STREAM, _PADDED = 0x1, 0x8
_WINDOW_FRAME = struct.Struct(">HBBBII")
_DATA_HEAD = struct.Struct(">HBBBI")
_DEFAULT_WINDOW_BYTES = 65535


def configuration(*, client_side: bool) -> H2Configuration:
    """Return h2's configuration, as grpclib has it."""
    return H2Configuration(
        client_side=client_side,
        header_encoding="ascii",
        validate_inbound_headers=False,
        validate_outbound_headers=False,
        normalize_inbound_headers=False,
        normalize_outbound_headers=False,
    )


class WindowedStream(protocol.Stream):
    """A stream whose data bypasses h2."""

    # It has the part of grpclib's interface that grpclib itself uses.
    buffer: StreamBuffer  # type: ignore[assignment]
    unread_bytes = 0

    def init_stream(self, stream_id: int, connection: protocol.Connection) -> None:
        """Give the stream its number and its buffer."""
        super().init_stream(stream_id, connection)
        self.buffer = StreamBuffer(partial(cast("WindowedConnection", connection).acknowledge, self))
        self.consumed_bytes = 0


class WindowedConnection(protocol.Connection):
    """A connection that grants its peer the windows for data."""

    consumed_bytes = 0
    unread_bytes = 0
    """What has arrived and wasn't acknowledged."""

    def create_stream(self, *, stream_id: int | None = None, wrapper: object = None) -> protocol.Stream:
        """Create a stream."""
        return WindowedStream(self, self._connection, self._transport, stream_id=stream_id, wrapper=wrapper)  # type: ignore[arg-type]

    def acknowledge(self, stream: WindowedStream, size: int) -> None:
        """Count data of a stream as read; windows are widened by a quarter at a time."""
        if not size:
            return
        stream.unread_bytes -= size
        stream.consumed_bytes += size
        update = b""
        if stream.consumed_bytes >= STREAM_WINDOW_BYTES // 4:
            update = _WINDOW_FRAME.pack(0, 4, _WINDOW_UPDATE, 0, stream.id or 0, stream.consumed_bytes)
            stream.consumed_bytes = 0
        self.consume(size, update)

    def consume(self, size: int, update: bytes = b"") -> None:
        """Count data of the connection as read."""
        self.unread_bytes -= size
        self.consumed_bytes += size
        if self.consumed_bytes >= CONNECTION_WINDOW_BYTES // 4:
            update += _WINDOW_FRAME.pack(0, 4, _WINDOW_UPDATE, 0, 0, self.consumed_bytes)
            self.consumed_bytes = 0
        if update and not self.is_closing():
            self._transport.write(update)


class CallProcessor(protocol.EventsProcessor):
    """Processes the events of the side that calls."""

    def process_stream_reset(self, event: StreamReset) -> None:
        """End a stream, unless its call has ended: servers reset what they don't read of a call after its end.

        What has arrived before the end is still to be read.
        """
        stream = cast("WindowedStream | None", self.streams.get(event.stream_id))
        if stream is None or not stream.buffer.ended:
            super().process_stream_reset(event)


class AdoptedProtocol(protocol.H2Protocol):
    """The protocol of a connection that was taken over.

    Args:
        handler: Accepts streams, on the server's side.
        client_side: Whether this is the side that calls.
    """

    connection: WindowedConnection

    def __init__(self, handler: protocol.AbstractHandler, *, client_side: bool) -> None:
        settings = Configuration(
            http2_connection_window_size=CONNECTION_WINDOW_BYTES, http2_stream_window_size=STREAM_WINDOW_BYTES
        )
        settings = settings.__for_client__() if client_side else settings.__for_server__()
        super().__init__(handler, settings, configuration(client_side=client_side))
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended."""
        self._previous: asyncio.BaseProtocol | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._prefaced = client_side
        self._partial = b""

    def inherit(self, writer: asyncio.StreamWriter) -> None:
        """Keep the connection's writer, which closes the connection when it is dropped, and its protocol."""
        self._writer = writer
        self._previous = cast("asyncio.Transport", writer.transport).get_protocol()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open HTTP/2 on the connection."""
        h2 = H2Connection(config=self.h2_config)
        h2.initiate_connection()
        h2.update_settings(
            {
                SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW_BYTES,
                SettingCodes.MAX_FRAME_SIZE: MAX_FRAME_BYTES,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
            }
        )
        h2.increment_flow_control_window(CONNECTION_WINDOW_BYTES - _DEFAULT_WINDOW_BYTES)
        self.connection = WindowedConnection(  # pyright: ignore[reportIncompatibleVariableOverride] - with the same methods
            h2, cast("asyncio.Transport", transport), config=self.config
        )
        self.connection.flush()
        self.connection.initialize()
        kind = CallProcessor if self.h2_config.client_side else protocol.EventsProcessor
        self.processor = kind(self.handler, self.connection)

    def data_received(self, data: bytes) -> None:
        """Split received data into frames."""
        if self._partial:
            data = self._partial + data
            self._partial = b""
        start = offset = 0
        if not self._prefaced:
            if len(data) < len(_PREFACE) and _PREFACE.startswith(data):
                self._partial = data
                return
            self._prefaced = True
            offset = len(_PREFACE) if data.startswith(_PREFACE) else 0
        end = len(data)
        view = memoryview(data)
        while end - offset >= _HEAD_BYTES:
            length = int.from_bytes(view[offset : offset + 3], "big")
            if length > MAX_FRAME_BYTES:
                self.processor.close("a frame is too large")
                return
            after = offset + _HEAD_BYTES + length
            if after > end:
                break
            if view[offset + 3] == _DATA:
                if start < offset:
                    super().data_received(data[start:offset])
                self._data_frame(view[offset:after])
                start = after
            offset = after
        if start < offset:
            super().data_received(data[start:offset])
        if offset < end:
            self._partial = data[offset:]

    def _data_frame(self, frame: memoryview) -> None:
        flags, stream_id = frame[4], int.from_bytes(frame[5:9], "big") & 0x7FFFFFFF
        payload = frame[_HEAD_BYTES:]
        size = len(payload)
        self.connection.unread_bytes += size
        stream = cast("WindowedStream | None", self.processor.streams.get(stream_id))
        if stream is None:
            self.connection.consume(size)
            return
        stream.unread_bytes += size
        if stream.unread_bytes > STREAM_WINDOW_BYTES or self.connection.unread_bytes > CONNECTION_WINDOW_BYTES:
            self.processor.close("the peer ignores its window")
            return
        if flags & _PADDED:
            padding = payload[0] + 1 if size else 0
            payload = payload[1 : max(1, size - padding + 1)]
            self.connection.acknowledge(stream, size - len(payload))
        if payload:
            stream.buffer.add(payload)
        if flags & _END_STREAM:
            super().data_received(_DATA_HEAD.pack(0, 0, _DATA, _END_STREAM, stream_id))

    def eof_received(self) -> None:
        """End the connection: HTTP/2 has no half of one."""

    def connection_lost(self, exc: BaseException | None) -> None:
        """End all streams."""
        self.connection.write_ready.set()  # a call that ends waits for it, whatever has ended the call
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)
        if self._previous is not None:
            self._previous.connection_lost(cast("Exception | None", exc))


async def adopt(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol_: AdoptedProtocol, trailing: bytes = b""
) -> None:
    """Hand a connection over from its streams to a protocol.

    `trailing` is what was read already, and belongs to the protocol.
    """
    transport = cast("asyncio.Transport", writer.transport)
    transport.pause_reading()
    protocol_.inherit(writer)
    transport.set_protocol(protocol_)
    protocol_.connection_made(transport)
    reader.feed_eof()  # so that what it has buffered can be read without waiting
    rest = trailing + await reader.read()
    if rest:
        protocol_.data_received(rest)
    transport.resume_reading()
