from __future__ import annotations

from pyd_core.client.frames import STDERR, STDOUT, FrameDecoder
from pyd_core.cri.log_lines import LogRecord, RecordFilter, parse_cri, parse_json

STAMP = b"2026-01-02T03:04:05.000000006Z"


def test_lines_of_the_runtime_interface_have_stream_and_end():
    assert parse_cri(STAMP + b" stdout F text with spaces") == LogRecord(STAMP, STDOUT, b"text with spaces\n")
    assert parse_cri(STAMP + b" stderr P:more piece") == LogRecord(STAMP, STDERR, b"piece")
    assert parse_cri(STAMP + b" stdout F") == LogRecord(STAMP, STDOUT, b"\n")
    for broken in (b"", b"text", STAMP + b" stdin F x", b"yesterday stdout F x", STAMP):
        assert parse_cri(broken) is None


def test_lines_of_the_json_file_driver():
    line = b'{"log":"text\\n","stream":"stderr","time":"2026-01-02T03:04:05.000000006Z"}'
    assert parse_json(line) == LogRecord(STAMP, STDERR, b"text\n")
    for broken in (b"", b"{", b"[]", b'{"log":1}', b'{"log":"x"}', b"\xff"):
        assert parse_json(broken) is None


def test_pieces_of_a_line_are_judged_and_stamped_once():
    later = b"2026-01-02T03:04:06Z"
    kept = RecordFilter(since="1767323045.5", until="", streams=frozenset({STDOUT}), timestamps=True, framed=False)
    assert kept.render(LogRecord(STAMP, STDOUT, b"too ")) == b""
    assert kept.render(LogRecord(later, STDOUT, b"early\n")) == b""
    assert kept.render(LogRecord(later, STDOUT, b"long ")) == later + b" long "
    assert kept.render(LogRecord(later, STDERR, b"other\n")) == b""
    assert kept.render(LogRecord(later, STDOUT, b"line\n")) == b"line\n"


def test_framed_records_name_their_stream():
    kept = RecordFilter(since="", until="", streams=frozenset({STDOUT, STDERR}), timestamps=False, framed=True)
    data = kept.render(LogRecord(STAMP, STDOUT, b"a\n")) + kept.render(LogRecord(STAMP, STDERR, b"b\n"))
    assert [(frame.stream, frame.data) for frame in FrameDecoder().feed(data)] == [(STDOUT, b"a\n"), (STDERR, b"b\n")]
