from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyd_core.client.frames import STDERR, STDOUT, SYSTEM
from pyd_core.errors import EngineError, ProtocolError, StreamInterrupted
from pyd_core.logs.line import LogLine
from pyd_core.logs.split import PIECE_BYTES, FramedSplitter, RawSplitter
from pyd_core.model.base import format_time

BASE = 1_700_000_000_123_456_789


def stamp(time_ns: int) -> bytes:
    return format_time(time_ns).encode() + b" "


def frame(data: bytes, stream: int = STDOUT) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def split(wire: bytes, size: int = 10**9, **options: int) -> list[LogLine]:
    splitter = FramedSplitter("id", "name", **options)
    lines: list[LogLine] = []
    for offset in range(0, len(wire), size):
        lines += splitter.feed(wire[offset : offset + size])
    return lines + splitter.close()


def test_a_line_has_its_time_stream_and_bytes():
    wire = frame(stamp(BASE) + b"one\n") + frame(stamp(BASE + 5) + b"two\n", STDERR)
    assert split(wire) == [
        LogLine("id", "name", "stdout", BASE, b"one"),
        LogLine("id", "name", "stderr", BASE + 5, b"two"),
    ]


@given(
    lines=st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=60)), max_size=8),
    size=st.integers(1, 90),
)
def test_any_bytes_survive_however_the_stream_is_cut(lines: list[tuple[int, bytes]], size: int):
    expected = [(stream, data.replace(b"\n", b"")) for stream, data in lines]
    wire = b"".join(frame(stamp(BASE + n) + data + b"\n", stream) for n, (stream, data) in enumerate(expected))
    got = split(wire, size)
    assert [(line.stream, line.data, line.time_ns) for line in got] == [
        ("stdout" if stream == STDOUT else "stderr", data, BASE + n) for n, (stream, data) in enumerate(expected)
    ]


@pytest.mark.parametrize("size", [1, 7, 40, 5000, 10**9])
def test_the_pieces_of_a_long_line_are_joined_without_their_timestamps(size: int):
    pieces = [b"a" * PIECE_BYTES, b"b" * PIECE_BYTES, b"c\n"]
    wire = b"".join(frame(stamp(BASE + n) + piece) for n, piece in enumerate(pieces))
    assert split(wire + frame(stamp(BASE + 9) + b"next\n"), size) == [
        LogLine("id", "name", "stdout", BASE, b"".join(pieces)[:-1]),
        LogLine("id", "name", "stdout", BASE + 9, b"next"),
    ]


def test_the_pieces_of_two_streams_do_not_mix():
    wire = (
        frame(stamp(BASE) + b"out-")
        + frame(stamp(BASE + 1) + b"err-", STDERR)
        + frame(stamp(BASE + 2) + b"1\n")
        + frame(stamp(BASE + 3) + b"2\n", STDERR)
    )
    assert [(line.stream, line.data) for line in split(wire)] == [("stdout", b"out-1"), ("stderr", b"err-2")]


def test_an_overlong_line_is_cut_and_what_is_missing_counted():
    pieces = [b"x" * PIECE_BYTES] * 100
    wire = b"".join(frame(stamp(BASE) + piece) for piece in pieces) + frame(stamp(BASE) + b"\n")
    (line,) = split(wire, max_line_bytes=50_000)
    assert len(line.data) == 50_000
    assert line.cut == 100 * PIECE_BYTES - 50_000


def test_a_whole_frame_longer_than_the_limit_is_cut_too():
    (line,) = split(frame(stamp(BASE) + b"y" * 1000 + b"\n"), max_line_bytes=10)
    assert (line.data, line.cut) == (b"y" * 10, 990)


def test_an_unfinished_last_line_is_handed_on_at_the_end():
    assert [line.data for line in split(frame(stamp(BASE) + b"prompt> "))] == [b"prompt> "]


def test_a_stream_that_ends_within_a_frame_was_cut():
    with pytest.raises(StreamInterrupted):
        split(frame(stamp(BASE) + b"whole\n") + frame(b"half")[:-2])


def test_several_lines_in_one_frame_are_several():
    assert [line.data for line in split(frame(stamp(BASE) + b"one\ntwo\n"))] == [b"one", b"two"]


def test_what_is_no_frame_is_refused():
    with pytest.raises(ProtocolError):
        split(b"HTTP/1.1 500 Internal")


def test_the_engines_own_complaint_in_the_stream_is_an_error():
    with pytest.raises(EngineError, match="log file is gone"):
        split(frame(b"log file is gone", SYSTEM))


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        (b"2023-11-14T22:13:20Z m", 1_700_000_000_000_000_000),
        (b"2023-11-14T22:13:20.5Z m", 1_700_000_000_500_000_000),
        (b"2023-11-14T23:13:20.123456789+01:00 m", BASE),
        (b"2023-11-14T23:13:20+01:00 m", 1_700_000_000_000_000_000),
    ],
)
def test_timestamps_of_other_engines_are_read(text: bytes, time_ns: int):
    assert split(frame(text + b"\n")) == [LogLine("id", "name", "stdout", time_ns, b"m")]


@pytest.mark.parametrize("data", [b"", b"no timestamp", b"2023-99-14T22:13:20.123456789Z x", b"2023", b"\xff" * 40])
def test_a_line_without_timestamp_keeps_all_its_bytes(data: bytes):
    assert split(frame(data + b"\n")) == [LogLine("id", "name", "stdout", 0, data)]


def raw(wire: bytes, size: int, **options: int) -> list[LogLine]:
    splitter = RawSplitter("id", "name", **options)
    lines: list[LogLine] = []
    for offset in range(0, len(wire), size):
        lines += splitter.feed(wire[offset : offset + size])
    return lines + splitter.close()


@pytest.mark.parametrize("size", [1, 33, 10**9])
def test_a_terminals_lines_lose_their_carriage_return(size: int):
    wire = stamp(BASE) + b"one\r\n" + stamp(BASE + 1) + b"\x1b[31mtwo\x1b[0m\r\n" + stamp(BASE + 2) + b"$ "
    assert raw(wire, size) == [
        LogLine("id", "name", "stdout", BASE, b"one"),
        LogLine("id", "name", "stdout", BASE + 1, b"\x1b[31mtwo\x1b[0m"),
        LogLine("id", "name", "stdout", BASE + 2, b"$ "),
    ]


@pytest.mark.parametrize("size", [1000, 10**9])
def test_a_terminals_long_line_has_no_timestamps_within(size: int):
    wire = stamp(BASE) + b"a" * PIECE_BYTES + stamp(BASE + 1) + b"b" * PIECE_BYTES + stamp(BASE + 2) + b"c\r\n"
    (line,) = raw(wire, size)
    assert line.data == b"a" * PIECE_BYTES + b"b" * PIECE_BYTES + b"c"
    assert line.time_ns == BASE


@pytest.mark.parametrize("size", [5000, 10**9])
def test_a_terminals_endless_line_does_not_fill_memory(size: int):
    (line,) = raw(stamp(BASE) + b"z" * 3_000_000, size, max_line_bytes=1000)
    assert (len(line.data), line.cut) == (1000, 2_999_000)


def test_the_package_needs_no_event_loop_to_read_a_log(tmp_path: Path):
    import subprocess
    import sys

    code = "import sys; import pyd_core.logs.follow, pyd_core.logs.merge; print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "False"
