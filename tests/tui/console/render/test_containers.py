"""Containers as cells and as records."""

from __future__ import annotations

import msgspec
import pytest

from pyd_core.model.container import ContainerSummary, Port
from pyd_tui.console.columns import plain
from pyd_tui.console.output import json_line
from pyd_tui.console.render.containers import cells, columns, row

NOW = 1_700_000_000.0


def _summary(**fields: object) -> ContainerSummary:
    given = {"id": "c" * 64, "names": ["/web"], "image": "nginx", "state": "running", "status": "Up 2 minutes"}
    return ContainerSummary(**{**given, "created": int(NOW) - 120, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "status", "health", "code"),
    [
        ("running", "Up 2 minutes", None, None),
        ("running", "Up 2 minutes (healthy)", "healthy", None),
        ("running", "Up 2 seconds (health: starting)", "starting", None),
        ("running", "Up 2 minutes (unhealthy)", "unhealthy", None),
        ("paused", "Up 2 minutes (healthy) (Paused)", "healthy", None),
        ("exited", "Exited (137) 2 minutes ago", None, 137),
        ("exited", "Exited (0) 2 minutes ago", None, 0),
        ("restarting", "Restarting (1) 3 seconds ago", None, 1),
        ("created", "Created", None, None),
    ],
)
def test_health_and_exit_code_are_parsed_from_the_status_text(
    state: str, status: str, health: str | None, code: int | None
):
    record = row(_summary(state=state, status=status))
    assert (record.health, record.exit_code) == (health, code)


def test_a_line_shows_state_exit_code_age_ports_and_project():
    dead = _summary(
        state="exited",
        status="Exited (137) 2 minutes ago",
        ports=[Port(private_port=80, public_port=8080, ip="0.0.0.0")],  # noqa: S104 - as an engine says it
        labels={"com.docker.compose.project": "shop"},
    )
    lines = plain(columns(), cells([dead], now=NOW)).splitlines()
    assert lines[0].split() == ["NAME", "IMAGE", "STATE", "EXIT", "AGE", "PORTS", "PROJECT"]
    assert lines[1].split() == ["web", "nginx", "exited", "137", "2m", "8080->80", "shop"]


def test_every_set_of_options_has_as_many_cells_as_columns():
    for size in (False, True):
        for full in (False, True):
            shown = cells([_summary(size_rw=5)], now=NOW, size=size, full=full)
            assert len(shown[0]) == len(columns(size=size, full=full))
    shown = cells([_summary()], now=NOW, causes={})
    assert len(shown[0]) == len(columns(dead=True))


@pytest.mark.parametrize(
    ("code", "recorded", "why"),
    [(137, "oom-killed", "oom-killed"), (137, None, "SIGKILL"), (127, None, "command not found"), (3, None, "")],
)
def test_exited_containers_show_the_recorded_cause_or_the_meaning_of_their_code(
    code: int, recorded: str | None, why: str
):
    dead = _summary(state="exited", status=f"Exited ({code}) 2 minutes ago")
    causes = {} if recorded is None else {dead.id: recorded}
    index = [column.title for column in columns(dead=True)].index("WHY")
    assert cells([dead], now=NOW, causes=causes)[0][index].text == why
    assert row(dead, cause=recorded).cause == recorded


def test_digests_are_shortened_only_on_request():
    digest = "nginx@sha256:" + "a" * 64
    assert cells([_summary(image=digest)], now=NOW)[0][1].text == digest
    assert cells([_summary(image=digest)], now=NOW, short_digests=True)[0][1].text == "nginx@" + "a" * 12
    assert cells([_summary(image="sha256:" + "b" * 64)], now=NOW, short_digests=True)[0][1].text == "b" * 12
    assert cells([_summary(image=digest)], now=NOW, full=True, short_digests=True)[0][1].text == digest


def test_hostile_names_images_and_labels_stay_on_their_line_and_json_stays_the_same_json():
    hostile = "\x1b[31mx\r\n\x9b2J\u202e\U000e0041"
    summary = _summary(names=["/" + hostile], image=hostile, labels={"com.docker.compose.project": hostile})
    text = plain(columns(), cells([summary], now=NOW))
    assert len(text.splitlines()) == 2
    assert "\x1b" not in text
    line = json_line(row(summary))
    assert line.isascii() or not set(line) & set(hostile) - set("x[312mJ")
    assert msgspec.json.decode(line)["name"] == hostile
