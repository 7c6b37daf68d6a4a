import pytest

from pyd_core.client.transport.body import MAX_SIZE_LINE_BYTES, BodyDecoder, BodyError

CHUNKED = {"transfer-encoding": "chunked"}


def chunked(parts: list[bytes], extension: bytes = b"", trailer: bytes = b"") -> bytes:
    coded = [b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts]
    return b"".join(coded) + b"0\r\n" + trailer + b"\r\n"


def decode(wire: bytes, size: int, headers: dict[str, str] = CHUNKED) -> tuple[bytes, BodyDecoder]:
    body = BodyDecoder(headers, 200)
    return b"".join(body.feed(wire[offset : offset + size]) for offset in range(0, len(wire), size)), body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10**6])
def test_chunks_come_out_whole_however_the_stream_is_cut(size: int):
    parts = [b"\r\n0\r\n"[: length % 7] + b"x" * length for length in (1, 2, 15, 16, 17, 1000)]
    got, body = decode(chunked(parts, b";name=value", b"Checksum: 1\r\n"), size)
    assert got == b"".join(parts)
    assert body.ended


def test_many_chunks_in_one_piece_come_out_as_one():
    body = BodyDecoder(CHUNKED, 200)
    assert body.feed(chunked([b"line\n"] * 1000)) == b"line\n" * 1000


def test_what_has_come_of_a_big_chunk_is_not_held_back():
    body = BodyDecoder(CHUNKED, 200)
    assert body.feed(b"ffffffff\r\nbegun") == b"begun"
    assert not body.ended


@pytest.mark.parametrize("size", [1, 4, 10**6])
@pytest.mark.parametrize(
    "wire",
    [
        b"zz\r\nx\r\n",
        b"-1\r\nx\r\n",
        b"1_0\r\nx\r\n",
        b"\r\nx\r\n",
        b"1\r\nxyz\r\n",
        b"f" * 16 + b"\r\n",
        b"1\r\nx\n\r\n",
    ],
)
def test_nonsense_for_a_chunk_is_refused(wire: bytes, size: int):
    with pytest.raises(BodyError):
        decode(wire, size)


def test_a_size_line_without_end_does_not_fill_memory():
    with pytest.raises(BodyError):
        decode(b"0" * (MAX_SIZE_LINE_BYTES + 1), 1)


def test_a_body_of_known_length_ends_there():
    got, body = decode(b"12345rest", 2, {"content-length": "5"})
    assert got == b"12345"
    assert body.ended


def test_a_body_without_length_goes_on_until_the_connection_ends():
    got, body = decode(b"12345", 2, {})
    assert got == b"12345"
    assert body.until_close
    assert not body.ended


def test_an_answer_without_body_is_complete_at_once():
    assert BodyDecoder(CHUNKED, 204).ended
    assert BodyDecoder({"content-length": "70"}, 404, "HEAD").ended
    assert BodyDecoder({"content-length": "0"}, 200).ended


@pytest.mark.parametrize("length", ["-1", "five", "1" * 30, "²"])
def test_a_length_that_is_none_is_refused(length: str):
    with pytest.raises(BodyError):
        BodyDecoder({"content-length": length}, 200)
