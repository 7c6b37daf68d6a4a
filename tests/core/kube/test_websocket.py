from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyd_core.errors import PydError, StreamInterrupted
from pyd_core.kube.websocket import BINARY, MAX_MESSAGE_BYTES, WebSocket, accept_key, apply_mask, encode_frame


class Pieces:
    """A connection that delivers bytes in given pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [*pieces]
        self.sent = b""
        self.headers: dict[str, str] = {}

    async def read(self, limit: int = 65536) -> bytes:  # noqa: ARG002 - the protocol's
        return self.pieces.pop(0) if self.pieces else b""

    async def write(self, data: bytes) -> None:
        self.sent += data

    async def aclose(self) -> None:
        pass


def frame(data: bytes, *, opcode: int = BINARY, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    return head + b"\x7e" + struct.pack("!H", len(data)) + data


def test_the_handshake_of_the_specification():
    assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_mask_removes_itself(data: bytes, mask: bytes):
    assert apply_mask(apply_mask(data, mask), mask) == data


@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536])
def test_frames_of_clients_are_masked_and_carry_their_length(length: int):
    data = bytes(length)
    encoded = encode_frame(BINARY, data, mask=b"\x01\x02\x03\x04")
    assert encoded[1] & 0x80
    assert apply_mask(encoded[-length:] if length else b"", b"\x01\x02\x03\x04") == data


async def test_messages_arrive_whatever_the_pieces():
    stream = frame(b"one") + frame(b"t", final=False) + frame(b"!", opcode=9) + frame(b"wo", opcode=0)
    for size in (1, 2, 3, len(stream)):
        raw = Pieces(*(stream[start : start + size] for start in range(0, len(stream), size)))
        socket = WebSocket(raw)
        assert [await socket.receive(), await socket.receive()] == [b"one", b"two"]
        assert raw.sent[:1] == b"\x8a"  # the ping was answered


async def test_a_close_is_answered_and_ends_the_stream():
    raw = Pieces(frame(struct.pack("!H", 1000), opcode=8))
    assert await WebSocket(raw).receive() is None
    assert raw.sent[:1] == b"\x88"


async def test_a_connection_that_ends_without_a_close_is_an_interruption():
    with pytest.raises(StreamInterrupted):
        await WebSocket(Pieces(frame(b"hello")[:4])).receive()


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x82, 0x7F]) + struct.pack("!Q", MAX_MESSAGE_BYTES + 1),
        bytes([0x82, 0x7F]) + struct.pack("!Q", 2**63),
        bytes([0xF2, 1, 0]),
        bytes([0x82, 0x81, 0, 0, 0, 0, 0]),
        bytes([0x89, 126, 0, 200]) + bytes(200),
        bytes([0x09, 0]),
        frame(b"x", opcode=0),
        frame(b"x", final=False) + frame(b"y"),
        frame(b"x", opcode=3),
    ],
)
async def test_frames_that_no_server_may_send_are_refused(data: bytes):
    with pytest.raises(PydError):
        await WebSocket(Pieces(data)).receive()


async def test_fragments_without_an_end_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_core.kube.websocket.MAX_MESSAGE_BYTES", 1000)
    pieces = [frame(bytes(100), opcode=2 if number == 0 else 0, final=False) for number in range(100)]
    raw = Pieces(*pieces)
    with pytest.raises(PydError, match="too large"):
        await WebSocket(raw).receive()
    assert len(raw.pieces) > 50


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_but_our_errors(data: bytes):
    import asyncio

    async def read() -> None:
        socket = WebSocket(Pieces(data))
        while await socket.receive() is not None:
            pass

    with suppress(PydError):
        asyncio.run(read())
