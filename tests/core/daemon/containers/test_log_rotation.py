"""What `--log-opt` says of a log's files, and what becomes of them."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pyd_core.daemon.containers import log_compression, log_rotation
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.log_options import LogLimits, check
from pyd_core.daemon.containers.log_rotation import files
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig, LogConfig


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({}, LogLimits()),
        ({"max-size": "10k"}, LogLimits(10_000, 1)),
        ({"max-size": "10KB", "max-file": "3"}, LogLimits(10_000, 3)),
        ({"max-size": "1g", "max-file": "2"}, LogLimits(10**9, 2)),
        ({"max-size": "77"}, LogLimits(77, 1)),
        ({"max-size": "1.5k", "max-file": "+2"}, LogLimits(1500, 2)),
        ({"max-size": "2 MiB"}, LogLimits(2_000_000, 1)),
        ({"max-size": "77b", "max-file": "2", "compress": "T"}, LogLimits(77, 2, compress=True)),
        ({"max-size": "77", "max-file": "2", "compress": "0"}, LogLimits(77, 2)),
        ({"max-file": "5"}, LogLimits()),
        ({"labels": "a", "env": "b", "tag": "c", "mode": "non-blocking", "max-buffer-size": "1m"}, LogLimits()),
    ],
)
def test_limits_are_read_as_docker_reads_them(options: dict[str, str], limits: LogLimits):
    config = LogConfig(config=options)
    check(config)
    assert LogLimits.read(config) == limits


def test_the_local_driver_has_limits_of_its_own():
    assert LogLimits.read(LogConfig("local")) == LogLimits(20 << 20, 5, compress=True)
    config = LogConfig("local", {"max-file": "1", "max-size": "1m"})
    check(config)
    assert LogLimits.read(config) == LogLimits(10**6, 1)
    assert not LogLimits.read(LogConfig("local", {"compress": "false"})).compress


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max-size": "0"}, "max-size must be a positive number"),
        ({"max-size": "-1"}, "invalid size: '-1'"),
        ({"max-size": "k"}, "invalid size: 'k'"),
        ({"max-size": "1x"}, "invalid size: '1x'"),
        ({"max-size": "9" * 400}, "invalid size"),
        ({"max-file": "0"}, "max-file cannot be less than 1"),
        ({"max-file": "-1"}, "max-file cannot be less than 1"),
        ({"max-file": "1.5"}, "max-file"),
        ({"max-file": "9" * 5000}, "max-file"),
        ({"max-size": "1m", "max-file": "2", "compress": "maybe"}, "invalid value for compress: 'maybe'"),
        ({"max-size": "1m", "max-file": "2", "compress": ""}, "invalid value for compress"),
        ({"compress": "true"}, "compress cannot be true when max-file is less than 2 or max-size is not set"),
        ({"compress": "true", "max-size": "1m"}, "compress cannot be true"),
        ({"compress": "true", "max-file": "3"}, "compress cannot be true"),
        ({"packed": "true"}, "unknown log opt 'packed' for json-file log driver"),
        ({"mode": "sometimes"}, "logging mode not supported: sometimes"),
        ({"max-buffer-size": "1m"}, "only supported with 'mode=non-blocking'"),
    ],
)
def test_nonsense_is_refused(options: dict[str, str], why: str):
    with pytest.raises(InvalidInput, match=re.escape(why)):
        check(LogConfig(config=options))


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
    assert [path.name for path in files(log).values()] == names
    log.unlink()
    assert [path.name for path in files(log).values()] == names[:-1]


def test_a_file_that_is_packed_and_not_because_of_a_crash_is_one(tmp_path: Path):
    for name in ("container.log.2.gz", "container.log.1", "container.log.1.gz", "container.log.tmp.gz"):
        (tmp_path / name).touch()
    log = tmp_path / "container.log"
    assert [path.name for path in files(log).values()] == ["container.log.2.gz", "container.log.1"]


def test_the_file_that_is_written_is_one_under_both_its_names_until_conmon_begins_another(tmp_path: Path):
    log = tmp_path / "container.log"
    log.write_text("old")
    log_rotation._follow(log, 3)
    assert [path.read_text() for path in files(log).values()] == ["old"]
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").rename(log)
    assert [path.read_text() for path in files(log).values()] == ["old", "new"]
    assert log_rotation._follow(log, 3)
    assert [path.name for path in files(log).values()] == ["container.log.1", "written.log"]
    assert not log_rotation._follow(log, 3)


def test_a_file_that_has_its_number_already_is_not_packed_while_it_is_written(tmp_path: Path):
    log = tmp_path / "container.log"
    for text in ("older", "written"):
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").rename(log)
        log_rotation._follow(log, 3)
    log_rotation._shift(log, 3)
    assert [path.read_text() for path in files(log).values()] == ["older", "written"]
    assert [path.name for path in log_rotation._older(log)] == ["container.log.2"]
    log_rotation._follow(log, 3)  # as the next engine does, after a crash
    assert [path.name for path in files(log).values()] == ["container.log.2", "container.log.1"]
    assert [path.name for path in log_rotation._older(log)] == ["container.log.2"]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_full_file_is_put_away_before_a_container_starts_again(tmp_path: Path, most: int):
    log = tmp_path / "container.log"
    for turn in range(5):
        log.write_text(str(turn) * 10)
        log_rotation.rotate_before_start(log, LogLimits(10, most))
        assert not log.exists()
    assert [path.read_text()[0] for path in files(log).values()] == [str(number) for number in range(5 - most + 1, 5)]
    log.write_text("short")
    log_rotation.rotate_before_start(log, LogLimits(10, most))
    assert log.read_text() == "short"


@pytest.fixture
def container(tmp_path: Path) -> EngineContainer:
    record = ContainerRecord(
        id="c", name="c", created_ns=0, image_id="", image="", layers=[], config=ContainerConfig(), host=HostConfig()
    )
    container = EngineContainer(record, root=tmp_path, run=tmp_path)
    container.directory.mkdir()
    return container


async def test_a_log_file_in_use_is_packed_later_and_a_packed_one_is_read_unchanged(container: EngineContainer):
    text = os.urandom(3 * log_compression.BLOCK_BYTES + 7)
    path = container.directory / "container.log.1"
    path.write_bytes(text)
    file = log_compression.LogFile(container, path)
    assert not await log_compression.pack_all(container, [path])
    file.close()
    assert await log_compression.pack_all(container, [path])
    assert [path.name for path in container.directory.iterdir()] == ["container.log.1.gz"]
    packed = path.with_name("container.log.1.gz")
    assert gzip.decompress(packed.read_bytes()) == text
    assert packed.stat().st_mode & 0o777 == 0o600
    file = log_compression.LogFile(container, packed)
    assert (await file.contents()).read() == text
    file.close()
    assert not container.open_log_inodes


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"x" + data[1:], lambda data: data[:12] + b"\xff" * 9]
)
async def test_a_damaged_file_is_an_error_that_says_so(container: EngineContainer, damage: Callable[[bytes], bytes]):
    path = container.directory / "container.log.1.gz"
    path.write_bytes(damage(gzip.compress(b"text" * 100)))
    file = log_compression.LogFile(container, path)
    with pytest.raises(EngineError, match="damaged"):
        await file.contents()
    file.close()
