"""Logs in several files: the same on Docker Engine and on the embedded one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from pyd_core.daemon.containers import log_rotation
from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.staging import wait_until

BLOCKS, LINES, LIMIT = 8, 400, 10_000
"""A block of lines is longer than a file may be."""
TALKER = f"mkfifo /tmp/go; i=0; while read word < /tmp/go; do i=$((i+1)); seq 1 {LINES} | sed s/^/$i-/; done"
LIMITS = ("--log-opt", f"max-size={LIMIT // 1000}k", "--log-opt", "max-file=3")


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("talker", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def expected_lines(blocks: int) -> list[str]:
    return [f"{block}-{line}" for block in range(1, blocks + 1) for line in range(1, LINES + 1)]


def talk(docker: Docker, name: str, block: int) -> None:
    """Has it print one more block, and waits until the engine has begun a new file."""
    docker("exec", name, "sh", "-c", "echo go > /tmp/go")
    wait_until(lambda: docker("logs", "--tail", "1", name) == f"{block}-{LINES}")
    log = Path(docker.inspect(name)["LogPath"])
    wait_until(lambda: log.exists() and log.stat().st_size < LIMIT)


def ready(docker: Docker, name: str) -> None:
    wait_until(lambda: docker("exec", name, "ls", "/tmp") == "go")


def test_the_last_line_is_one_while_more_are_written(both: Docker, image: str):
    name = both.run("busy", image, "sh", "-c", "while :; do echo line; done", options=LONE)
    wait_until(lambda: both("logs", "--tail", "1", name) == "line")
    assert {both("logs", "--tail", "2", name) for _ in range(10)} == {"line\nline"}
    both("rm", "-f", name)


def test_a_log_in_several_files_is_read_as_one_and_the_oldest_go(both: Docker, image: str):
    name = both.run("talker", image, "sh", "-c", TALKER, options=(*LONE, *LIMITS))
    ready(both, name)
    for block in range(1, BLOCKS + 1):
        talk(both, name, block)
    log = Path(both.inspect(name)["LogPath"])
    assert sorted(path.name for path in log.parent.glob(f"{log.name}*")) == [
        log.name,
        f"{log.name}.1",
        f"{log.name}.2",
    ]
    kept = both("logs", name).split()
    assert LINES / 4 < len(kept) < BLOCKS * LINES
    assert kept == expected_lines(BLOCKS)[-len(kept) :]
    for count in (1, 10, len(kept) - 1):
        assert both("logs", "--tail", str(count), name).split() == kept[-count:]
    both("rm", "-f", name)


def test_a_followed_log_is_complete_however_often_it_is_rotated(docker: Docker, busybox: str):
    """On the embedded engine alone: Docker Engine leaves lines out where files change this fast."""
    name = docker.run("followed", busybox, "sh", "-c", TALKER, options=(*LONE, *LIMITS))
    ready(docker, name)
    following = subprocess.Popen(["docker", "-H", docker.host, "logs", "-f", name], stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    heard = []
    for block in range(1, BLOCKS + 1):
        talk(docker, name, block)
        heard += [following.stdout.readline().strip() for _ in range(LINES)]
    docker("rm", "-f", name)
    heard += following.communicate(timeout=60)[0].split()
    assert heard == expected_lines(BLOCKS)


def test_a_log_continues_in_several_files_after_the_engine_was_killed(pydd: Pydd, docker: Docker, busybox: str):
    name = docker.run("outlives", busybox, "sh", "-c", TALKER, options=(*LONE, *LIMITS))
    ready(docker, name)
    talk(docker, name, 1)
    log = Path(docker.inspect(name)["LogPath"])
    pydd.kill()
    log.rename(f"{log}.1")  # it was killed in the middle
    pydd.start()
    wait_until(log.exists)
    talk(docker, name, 2)
    kept = docker("logs", name).split()
    assert kept == expected_lines(2)[-len(kept) :]
    docker("rm", "-f", name)


def packed(docker: Docker, name: str) -> list[str]:
    """The files of a container's log, once all older ones are packed."""
    log = Path(docker.inspect(name)["LogPath"])
    suffixes: list[str] = []

    def all_packed() -> bool:
        suffixes[:] = sorted(path.name.removeprefix(log.name) for path in log.parent.glob(f"{log.name}*"))
        return suffixes == ["", ".1.gz", ".2.gz"]

    wait_until(all_packed)
    return suffixes


def test_older_files_are_packed_and_read_back_as_one(both: Docker, image: str):
    name = both.run("packed", image, "sh", "-c", TALKER, options=(*LONE, *LIMITS, "--log-opt", "compress=true"))
    ready(both, name)
    for block in range(1, BLOCKS + 1):
        talk(both, name, block)
    assert packed(both, name)
    kept = both("logs", name).split()
    assert LINES / 4 < len(kept) < BLOCKS * LINES
    assert kept == expected_lines(BLOCKS)[-len(kept) :]
    for count in (1, LINES // 2, len(kept) - 1):
        assert both("logs", "--tail", str(count), name).split() == kept[-count:]
    stamped = [line.split() for line in both("logs", "--timestamps", name).splitlines()]
    since = stamped[len(stamped) // 3][0]
    expected = [text for time, text in stamped if time >= since]
    assert both("logs", "--since", since, name).split() == expected
    command = ["docker", "-H", both.host, "logs", "-f", "--since", since, name]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    heard = [following.stdout.readline().strip() for _ in expected]
    both("exec", name, "sh", "-c", "echo go > /tmp/go")
    heard.append(following.stdout.readline().strip())
    both("rm", "-f", name)
    following.communicate(timeout=60)
    assert heard == [*expected, f"{BLOCKS + 1}-1"]


def test_a_followed_log_is_complete_while_older_files_are_packed(docker: Docker, busybox: str):
    """On the embedded engine alone, for the same reason."""
    name = docker.run("both", busybox, "sh", "-c", TALKER, options=(*LONE, *LIMITS, "--log-opt", "compress=true"))
    ready(docker, name)
    following = subprocess.Popen(["docker", "-H", docker.host, "logs", "-f", name], stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    heard = []
    for block in range(1, BLOCKS + 1):
        talk(docker, name, block)
        heard += [following.stdout.readline().strip() for _ in range(LINES)]
    assert packed(docker, name)
    docker("rm", "-f", name)
    heard += following.communicate(timeout=60)[0].split()
    assert heard == expected_lines(BLOCKS)


def test_a_log_is_bounded_while_no_engine_runs(pydd: Pydd, docker: Docker, busybox: str):
    amount = 3 * log_rotation.MIN_CONMON_BYTES // 1001 * 1001
    shout = f"yes {'x' * 1000} | head -c {amount}; echo done"
    script = f"mkfifo /tmp/go; read word < /tmp/go; {shout}; touch /tmp/over; read word < /tmp/go"
    name = docker.run("shouter", busybox, "sh", "-c", script, options=(*LONE, *LIMITS))
    ready(docker, name)
    about = docker.inspect(name)
    log, inside = Path(about["LogPath"]), Path(f"/proc/{about['State']['Pid']}/root/tmp")
    pydd.kill()
    try:
        (inside / "go").write_text("go\n")
        wait_until((inside / "over").exists)
        sizes = [path.stat().st_size for path in log_rotation.files(log).values()]
    finally:
        pydd.start()
    assert all(size <= log_rotation.MIN_CONMON_BYTES for size in sizes)
    assert len(sizes) == 2
    wait_until(lambda: log.stat().st_size < LIMIT)
    wait_until(lambda: docker("logs", "--tail", "1", name) == "done")
    docker("rm", "-f", name)


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_log_is_bounded_however_often_a_container_starts(both: Docker, image: str, count: str):
    limits = ("--log-opt", f"max-size={LIMIT // 1000}k", "--log-opt", f"max-file={count}")
    name = both.create("again", image, "seq", "100", options=(*LONE, *limits))
    for _ in range(8):
        both("start", "-a", name)
    log = Path(both.inspect(name)["LogPath"])
    files = sorted(log.parent.glob(f"{log.name}*"))
    assert len(files) <= int(count)
    assert all(file.stat().st_size < 2 * LIMIT for file in files)
    assert both("logs", "--tail", "1", name) == "100"
    both("rm", "-f", name)


def test_the_local_driver_keeps_its_own_limits(both: Docker, image: str):
    name = both.run("local", image, "seq", "3", options=(*LONE, "--log-driver", "local"))
    both("wait", name)
    assert both("logs", name).split() == ["1", "2", "3"]
    assert both.inspect(name)["HostConfig"]["LogConfig"] == {"Type": "local", "Config": {}}
    both("rm", "-f", name)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("max-file=0", "max-size=1m"), "max-file cannot be less than 1"),
        (("max-file=x", "max-size=1m"), "x"),
        (("max-size=0",), "max-size must be a positive number"),
        (("max-size=many",), "invalid size: 'many'"),
        (("compress=maybe",), "maybe"),
        (("compress=true", "max-size=1m"), "compress cannot be true when max-file is less than 2"),
        (("many=1",), "unknown log opt 'many' for json-file log driver"),
        (("max-buffer-size=1m",), "only supported with 'mode=non-blocking'"),
    ],
)
def test_limits_of_a_log_that_make_no_sense_are_refused(both: Docker, image: str, options: tuple[str, ...], why: str):
    name = both.name("senseless")
    words = [word for option in options for word in ("--log-opt", option)]
    command = ["docker", "-H", both.host, "run", "-d", "--name", name, *words, image, "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert why in done.stderr
    both("rm", "-f", name, check=False)


def test_options_that_make_no_sense_are_a_bad_request(pydd: Pydd, busybox: str):
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(pydd.config.socket_path))) as client:
        for options in ({"compress": "maybe"}, {"max-size": "1x"}, {"many": "1"}):
            body = {"Image": busybox, "HostConfig": {"LogConfig": {"Type": "json-file", "Config": options}}}
            assert client.post("http://engine/containers/create", json=body).status_code == 400


DETAILED = ("--label", "short=of it", "--label", "other=1", "-e", "WHERE=a,b=c/d", "-e", "EMPTY=", "-e", "OTHER=2")


@pytest.mark.parametrize(
    ("options", "before"),
    [
        ((), ""),
        (("labels=short,nosuch", "env=WHERE,EMPTY,NOSUCH"), "EMPTY=,WHERE=a%2Cb%3Dc%2Fd,short=of+it"),
        (("labels-regex=^s", "env-regex=^WH"), "WHERE=a%2Cb%3Dc%2Fd,short=of+it"),
        (("labels=short", "tag=by {{.Name}}/{{ .ID }}"), "short=of+it,tag=by+{name}%2F{id}"),
    ],
)
def test_details_are_what_the_log_options_chose(both: Docker, image: str, options: tuple[str, ...], before: str):
    given = [part for option in options for part in ("--log-opt", option)]
    name = both.create("detailed", image, "sh", "-c", "echo one; echo; echo two", options=(*DETAILED, *given, *LONE))
    both("start", "-a", name)
    output = subprocess.run(
        ["docker", "-H", both.host, "logs", "--details", name], capture_output=True, text=True, check=True
    ).stdout
    before = before.format(name=name, id=both.inspect(name)["Id"][:12])
    assert output == f"{before} one\n{before} \n{before} two\n"
    timed = both("logs", "--details", "--timestamps", "--tail", "1", name)
    assert timed.partition("Z ")[2] == f"{before} two"
    both("rm", "-f", name)


def test_a_pattern_for_details_that_is_none_is_refused(docker: Docker, busybox: str):
    done = subprocess.run(
        ["docker", "-H", docker.host, "create", "--log-opt", "env-regex=[", busybox], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"error parsing regexp" in done.stderr
