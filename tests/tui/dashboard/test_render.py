from __future__ import annotations

from datetime import UTC

import pytest

from pyd_core.humanize import coarse_age, compact_size
from pyd_core.logs.line import LogLine
from pyd_core.model.container import Port
from pyd_core.model.event import Actor, Event
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.render.containers import is_broken, memory, ports, since, state
from pyd_tui.dashboard.render.document import lay_out, parse, value_at
from pyd_tui.dashboard.render.events import event_line
from pyd_tui.dashboard.render.figures import Clock, moment, percent
from pyd_tui.dashboard.render.layout import LayoutColumn, arrange
from pyd_tui.dashboard.render.logrow import LogStyle, log_row
from pyd_tui.dashboard.render.logs import MAX_DRAWN_BYTES
from pyd_tui.dashboard.render.pieces import Cell, Span, cell, fit, highlight, width

SECOND = 10**9
NOON = 1_700_049_600 * SECOND  # 2023-11-15T12:00:00Z
CLOCK = Clock(now=lambda: NOON, zone=UTC)


def text(pieces: Cell) -> str:
    return "".join(piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("count", "written"),
    [(0, "0B"), (999, "999B"), (1000, "1K"), (4300, "4.2K"), (37 << 20, "37M"), (512 << 20, "512M"), (3 << 29, "1.5G")],
)
def test_sizes_take_at_most_five_columns(count: int, written: str):
    assert compact_size(count) == written


def test_no_size_is_ever_wider_than_its_column():
    assert max(len(compact_size(2**power + 2**power // step)) for power in range(60) for step in (1, 3, 7, 99)) <= 5


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0%"), (0.04, "0%"), (0.44, "0.4%"), (9.96, "10%"), (1600, "1600%")]
)
def test_percent_keeps_a_digit_only_where_it_is_significant(value: float, written: str):
    assert percent(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(59, "<1m"), (60, "1m"), (3599, "59m"), (3600, "1h"), (47 * 3600, "47h"), (86400 * 3, "3d")],
)
def test_durations_have_one_unit(seconds: int, written: str):
    assert coarse_age(seconds) == written


def test_moments_are_as_short_as_their_age_allows():
    assert moment(NOON - 3600 * SECOND, CLOCK) == "11:00"
    assert moment(NOON - 86400 * SECOND, CLOCK) == "14 Nov"
    assert moment(NOON - 400 * 86400 * SECOND, CLOCK) == "Oct 2022"


def test_the_time_of_a_death_stays_constant():
    dead = ContainerInfo(id="a", name="a", state="exited", exit_code=1, started_ns=1, finished_ns=NOON - 3600 * SECOND)
    later = Clock(now=lambda: NOON + 1800 * SECOND, zone=UTC)
    assert since(dead, CLOCK) == since(dead, later)


@pytest.mark.parametrize("columns", range(1, 12))
@pytest.mark.parametrize("from_start", [False, True])
@pytest.mark.parametrize("word", ["abcdefghij", "日本語のテキスト", "a日b本c語", "e\u0301a\u0301o\u0301u\u0301"])
def test_fitted_text_has_exactly_the_width_and_an_ellipsis_where_it_is_cut(columns: int, from_start: bool, word: str):
    fitted = fit(cell(word), columns, cut_start=from_start)
    assert width(fitted) == columns
    assert ("…" in text(fitted)) == (width(cell(word)) > columns)


def test_control_characters_never_become_a_span():
    hostile = "".join(map(chr, range(32))) + "\x7f\x9b31m\u202e\u2066[bold]x[/]"
    shown = text(cell(hostile))
    assert not [character for character in shown if ord(character) < 32 or 0x7F <= ord(character) < 0xA0]
    assert "[bold]x[/]" in shown
    assert "\u202e" not in shown


def test_a_dropped_column_returns_where_a_wider_one_left_room():
    columns = (
        LayoutColumn(key="name", title="NAME", min_width=10, max_width=30, priority=0),
        LayoutColumn(key="up", title="UP", min_width=5, max_width=8, priority=2),
        LayoutColumn(key="error", title="ERROR", min_width=30, max_width=90, priority=1),
    )
    natural = {"name": 20, "up": 7, "error": 40}
    assert [placed.column.key for placed in arrange(columns, 30, natural)] == ["name", "up"]
    assert [(placed.column.key, placed.width) for placed in arrange(columns, 28, natural)] == [("name", 20), ("up", 6)]
    assert [(placed.column.key, placed.width) for placed in arrange(columns, 26, natural)] == [("name", 20)]
    assert [placed.column.key for placed in arrange(columns, 42, natural)] == ["name", "error"]


def test_the_least_important_columns_are_dropped_first():
    columns = (
        LayoutColumn(key="name", title="NAME", min_width=10, max_width=30, priority=0),
        LayoutColumn(key="image", title="IMAGE", min_width=10, max_width=30, priority=2),
        LayoutColumn(key="up", title="UP", min_width=5, max_width=5, priority=1, right=True),
        LayoutColumn(key="none", title="NONE", min_width=5, max_width=5, priority=1, optional=True),
    )
    natural = {"name": 40, "image": 12, "up": 5}
    assert [fitted.column.key for fitted in arrange(columns, 100, natural)] == ["name", "image", "up"]
    assert [(fitted.column.key, fitted.width) for fitted in arrange(columns, 20, natural)] == [("name", 13), ("up", 5)]
    assert [(fitted.column.key, fitted.width) for fitted in arrange(columns, 8, natural)] == [("name", 8)]


@pytest.mark.parametrize(
    ("entry", "shown", "broken"),
    [
        (ContainerInfo(id="a", name="a", state="running"), "● running", False),
        (ContainerInfo(id="a", name="a", state="running", health="unhealthy"), "✗ running", True),
        (ContainerInfo(id="a", name="a", state="paused"), "‖ paused", False),
        (ContainerInfo(id="a", name="a", state="exited", exit_code=0), "○ exited 0", False),
        (ContainerInfo(id="a", name="a", state="exited", exit_code=143), "○ exited 143", False),
        (ContainerInfo(id="a", name="a", state="exited", exit_code=137), "○ exited 137", False),
        (ContainerInfo(id="a", name="a", state="exited", exit_code=137, oom_killed=True), "✗ exited 137", True),
        (ContainerInfo(id="a", name="a", state="restarting", exit_code=1), "↻ restarting", True),
        (ContainerInfo(id="a", name="a", state="created"), "◌ created", False),
    ],
)
def test_a_state_has_a_shape_and_a_word_and_problems_stand_out(entry: ContainerInfo, shown: str, broken: bool):
    assert text(state(entry)) == shown
    assert is_broken(entry) == broken


def test_memory_near_its_limit_is_highlighted():
    roles = [memory(Usage(time_ns=1, memory_bytes=used, memory_limit=100))[0].role for used in (50, 80, 95)]
    assert roles == ["text", "warn", "bad"]


def test_a_port_published_on_both_families_is_shown_once():
    both = (
        Port(private_port=80, public_port=8080, ip="0.0.0.0"),  # noqa: S104 - what an engine says
        Port(private_port=80, public_port=8080, ip="::"),
        Port(private_port=53, public_port=53, ip="127.0.0.1", type="udp"),
        Port(private_port=9000),
    )
    assert text(ports(ContainerInfo(id="a", name="a", ports=both))) == "127.0.0.1:53→53/udp, 8080→80"


def line(data: bytes, **more: object) -> LogLine:
    return LogLine(container_id="a", name="a", stream="stdout", time_ns=NOON, data=data, **more)  # type: ignore[arg-type]


def test_a_log_keeps_its_colours_and_no_other_sequences():
    pieces = log_row(line(b"\x1b[31mred\x1b[0m \x1b[2J\x1b]8;;http://x\x07link"), CLOCK, LogStyle())
    assert any(piece.text == "red" and not isinstance(piece.role, str) for piece in pieces)
    assert "\x1b" not in text(pieces)


def test_missing_bytes_of_an_overlong_line_are_counted():
    pieces = log_row(line(b"x" * (MAX_DRAWN_BYTES + 5), cut=1000), CLOCK, LogStyle())
    assert text(pieces).endswith("… 1,005 more bytes")


def test_a_death_among_the_events_shows_its_exit_code():
    event = Event(type="container", action="die", actor=Actor(id="a", attributes={"name": "web", "exitCode": "3"}))
    assert "died" in text(event_line(event, CLOCK))
    assert text(event_line(event, CLOCK)).endswith("web  exit 3")
    assert text(event_line(event, CLOCK, of_container=True)).split()[1:] == ["container", "died", "exit", "3"]


def test_an_event_of_a_network_keeps_its_name_among_those_of_a_container():
    event = Event(type="network", action="connect", actor=Actor(id="n", attributes={"name": "shop", "container": "a"}))
    assert "shop  a" in text(event_line(event, CLOCK, of_container=True))


def test_a_document_keeps_every_character_of_the_json():
    body = b'{"a":["x\\u001b[31m",1.5e3,true,null,{}],"b\\"c":"d, e: f"}'
    laid_out = "".join(text(line.text).strip() for line in lay_out(parse(body)))
    assert laid_out == '{"a": ["x\\u001b[31m",1.5e3,true,null,{}],"b\\"c": "d, e: f"}'


def test_a_document_folds_by_path_masks_secrets_and_returns_values_by_path():
    body = b'{"Config":{"Env":["A=1","DB_PASSWORD=x"],"Labels":{"a.b\\"c":"d"}},"Big":[1,2,3]}'
    value = parse(body)
    lines = lay_out(value, {".Big"})
    paths = [line.key for line in lines]
    assert '.Config.Labels["a.b\\"c"]' in paths
    assert ".Big[0]" not in paths
    assert text(next(line.text for line in lines if line.key == ".Big")).strip() == '"Big": [ … 3 entries ]'
    assert not any("DB_PASSWORD=x" in text(line.text) for line in lines)
    assert any("DB_PASSWORD=x" in text(line.text) for line in lay_out(value, unmasked=True))
    assert value_at(value, '.Config.Labels["a.b\\"c"]') == "d"
    assert value_at(value, ".Big[1]") == "2"
    assert value_at(value, ".Config.Env[0]") == "A=1"
    assert text(lay_out(parse(b"\xff"))[0].text).startswith('"no JSON')


def test_matches_are_marked_regardless_of_case():
    assert highlight((Span("Error: an ERROR", "dim"),), "error") == (
        Span("Error", "match"),
        Span(": an ", "dim"),
        Span("ERROR", "match"),
    )
