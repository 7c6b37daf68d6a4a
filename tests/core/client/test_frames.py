from collections.abc import AsyncIterator
from itertools import groupby

import pytest

from pyd_core.client.frames import MULTIPLEXED, RAW, STDERR, STDOUT, Frame, FrameDecoder, is_framed, read_frames
from pyd_core.errors import ProtocolError, StreamInterrupted


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


WIRE = frame(STDOUT, b"hello\n") + frame(STDERR, b"oh\n") + frame(STDOUT, b"") + frame(STDOUT, b"x" * 300)


def whole(frames: list[Frame]) -> list[tuple[int, bytes]]:
    done: list[tuple[int, bytes]] = []
    data = b""
    for stream, piece, first, last in frames:
        data = piece if first else data + piece
        if last:
            done.append((stream, data))
    return done


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, len(WIRE)])
def test_frames_come_out_alike_whatever_pieces_they_arrive_in(size: int):
    decoder = FrameDecoder()
    frames = [result for offset in range(0, len(WIRE), size) for result in decoder.feed(WIRE[offset : offset + size])]
    decoder.close()
    assert whole(frames) == [(STDOUT, b"hello\n"), (STDERR, b"oh\n"), (STDOUT, b"x" * 300)]


def test_a_frame_said_to_be_four_gigabytes_is_handed_on_as_it_arrives():
    decoder = FrameDecoder()
    assert decoder.feed(b"\x01\0\0\0\xff\xff\xff\xff" + b"a" * 10) == [Frame(STDOUT, b"a" * 10, True, False)]
    assert decoder.feed(b"b" * 10) == [Frame(STDOUT, b"b" * 10, False, False)]
    with pytest.raises(StreamInterrupted):
        decoder.close()


@pytest.mark.parametrize("header", [b"\x04\0\0\0\0\0\0\x01", b"\x01\x01\0\0\0\0\0\x01", b"plain text", b"\xff" * 8])
def test_what_is_no_frame_is_refused(header: bytes):
    with pytest.raises(ProtocolError, match="not framed"):
        FrameDecoder().feed(header)


@pytest.mark.parametrize("cut", [1, 7, 8, 10])
async def test_a_stream_that_ends_within_a_frame_says_so(cut: int):
    async def chunks() -> AsyncIterator[bytes]:
        yield frame(STDOUT, b"hello")[:cut]

    with pytest.raises(StreamInterrupted):
        [result async for result in read_frames(chunks())]


def test_pieces_of_one_frame_are_marked_first_and_last():
    decoder = FrameDecoder()
    wire = frame(STDERR, b"abcdef") * 2
    result = [piece for offset in range(0, len(wire), 5) for piece in decoder.feed(wire[offset : offset + 5])]
    assert sum(piece.first for piece in result) == sum(piece.last for piece in result) == 2
    assert [key for key, _ in groupby(piece.stream for piece in result)] == [STDERR]


def test_content_type_tells_framed_from_raw_and_the_terminal_where_it_does_not():
    assert is_framed({"content-type": MULTIPLEXED}, tty=True)
    assert is_framed({"content-type": RAW}, tty=False)
    assert not is_framed({"content-type": RAW}, tty=True)
    assert not is_framed({}, tty=True)
