from __future__ import annotations

from pyd_core.watch.output_tail import MAX_LINE_BYTES, MAX_LINES, OutputTail


def test_lines_are_joined_over_chunks_and_kept_apart_by_stream() -> None:
    tail = OutputTail()
    tail.feed(1, b"hel")
    tail.feed(2, b"oh no\n")
    tail.feed(1, b"lo\nrest")
    assert [(line.stream, line.text) for line in tail.lines] == [
        ("stderr", "oh no"),
        ("stdout", "hello"),
        ("stdout", "rest"),
    ]


def test_only_the_last_lines_are_kept() -> None:
    tail = OutputTail()
    tail.feed(1, b"".join(b"%d\n" % number for number in range(1000)))
    assert len(tail.lines) == MAX_LINES
    assert tail.lines[-1].text == "999"


def test_a_line_without_end_takes_a_bounded_amount() -> None:
    tail = OutputTail()
    for _ in range(1000):
        tail.feed(1, b"x" * 10_000)
    assert [len(line.text) for line in tail.lines] == [MAX_LINE_BYTES]
