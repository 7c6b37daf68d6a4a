"""Log lines as text."""

from __future__ import annotations

import msgspec

from pyd_core.client.gap import Gap
from pyd_core.logs.line import LogLine
from pyd_tui.console.render.logs import LogPrinter, records


def _line(data: bytes, name: str = "web", time_ns: int = 0, cut: int = 0) -> LogLine:
    return LogLine(container_id=name * 8, name=name, stream="stdout", time_ns=time_ns, data=data, cut=cut)


def test_one_container_has_no_prefix_and_several_have_aligned_ones():
    assert LogPrinter(["web"]).text([_line(b"hello")]) == "hello\n"
    both = LogPrinter(["web", "database"]).text([_line(b"a"), _line(b"b", "database")])
    assert both == "web      | a\ndatabase | b\n"


def test_each_name_has_its_own_colour():
    first, second = LogPrinter(["web", "db"], colour=True).text([_line(b"a"), _line(b"b", "db")]).splitlines()
    assert first.startswith("\x1b[36mweb |\x1b[0m ")
    assert second.startswith("\x1b[33mdb  |\x1b[0m ")


def test_the_containers_colours_are_kept_on_a_terminal_and_reset_at_line_end():
    assert LogPrinter(["web"], colour=True).text([_line(b"\x1b[1;31mred")]) == "\x1b[1;31mred\x1b[0m\n"


def test_output_without_colour_has_no_escapes():
    assert LogPrinter(["web"]).text([_line(b"\x1b[1;31mred\x1b[0m \x1b]52;c;eA==\x07")]) == "red ␛]52;c;eA==␇\n"


def test_only_colour_escapes_are_kept_on_a_terminal():
    shown = LogPrinter(["web"], colour=True).text([_line(b"\x1b[2J\x1b[31mx\x9b1A\x0b\xff\xe2\x80\xae")])
    assert shown.replace("\x1b[31m", "").replace("\x1b[0m", "").isprintable() is False  # its newline
    assert "\x1b" not in shown.replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert not set(shown) & set("\x9b\x0b\u202e")


def test_known_times_are_shown_on_request():
    assert LogPrinter(["web"], times=True).text([_line(b"a", time_ns=1_700_000_000_123_456_789), _line(b"b")]) == (
        "2023-11-14T22:13:20.123456789Z a\nb\n"
    )


def test_a_trailing_carriage_return_is_dropped_and_a_cut_is_shown():
    assert LogPrinter(["web"]).text([_line(b"a\r"), _line(b"long", cut=12)]) == "a\nlong … (12 bytes cut)\n"


def test_a_gap_is_shown_with_its_lost_lines():
    gap = Gap(reason="the engine stopped answering", lost=None, since_ns=0, until_ns=2 * 10**9, name="web")
    text = LogPrinter(["web"]).text([gap])
    assert text == "-- web: the engine stopped answering, for 2.0 s: some lines may be missing --\n"


def test_records_are_one_document_per_line_without_control_characters():
    gap = Gap(reason="away", lost=0)
    text = records([_line(b"\x1b[31mx\xe2\x80\xae\n\xff", time_ns=1), gap])
    assert text.count("\n") == 2
    assert not set(text) & set("\x1b\u202e")
    first, second = (msgspec.json.decode(line) for line in text.splitlines())
    assert first["message"] == "\x1b[31mx\u202e\n\ufffd"
    assert second["gap"]["lost"] == 0
