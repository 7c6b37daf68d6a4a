"""What `--log-opt` says of a log's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.daemon.containers.rotation import Limits, files
from pyd_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({}, Limits()),
        ({"max-size": "10k"}, Limits(10_000, 1)),
        ({"max-size": "10KB", "max-file": "3"}, Limits(10_000, 3)),
        ({"max-size": "1g", "max-file": "2"}, Limits(10**9, 2)),
        ({"max-size": "77"}, Limits(77, 1)),
        ({"max-file": "5"}, Limits()),
    ],
)
def test_limits_are_read_as_docker_reads_them(options: dict[str, str], limits: Limits):
    assert Limits.read(options) == limits


@pytest.mark.parametrize(
    "options",
    [
        {"max-size": "0"},
        {"max-size": "-1"},
        {"max-size": "k"},
        {"max-size": "1x"},
        {"max-size": "9" * 400},
        {"max-file": "0"},
        {"max-file": "-1"},
        {"max-file": "1.5"},
        {"max-file": "9" * 5000},
    ],
)
def test_nonsense_is_refused(options: dict[str, str]):
    with pytest.raises(InvalidInput):
        Limits.read(options)


def test_files_come_oldest_first_and_nothing_else_is_one(tmp_path: Path):
    log = tmp_path / "container.log"
    for name in (
        "container.log",
        "container.log.2",
        "container.log.10",
        "container.log.1",
        "container.log.tmp",
        "hosts",
    ):
        (tmp_path / name).touch()
    names = ["container.log.10", "container.log.2", "container.log.1", "container.log"]
    assert [each.name for each in files(log)] == names
    log.unlink()
    assert [each.name for each in files(log)] == names[:-1]
