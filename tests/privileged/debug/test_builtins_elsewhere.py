"""Builtins on targets that a helper container enters: as a user without root, and over ssh."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.connections import Way, ways
from support.debugging import main_pid
from support.docker import LONE, Docker
from support.staging import wait_until

SCRIPT = """
mkdir /www; echo welcome > /www/index.html; httpd -p 127.0.0.1:8080 -h /www
ln -s /proc/1/root/etc/shadow /www/magic; echo planted-line; exec sleep 1000
"""


@pytest.fixture(scope="module")
def every_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    with ways(tmp_path_factory.mktemp("ways")) as connections:
        yield connections


@pytest.fixture(scope="module")
def planted(docker: Docker, busybox: str) -> str:
    options = (*LONE, "--memory", "64m", "-e", "TOKEN=sesame", "--user", "0:0")
    name = docker.run("elsewhere", busybox, "sh", "-c", SCRIPT, options=options)
    wait_until(lambda: "planted" in docker("logs", name))
    return name


def test_builtins_find_there_what_they_find_here(every_way: dict[str, Way], docker: Docker, planted: str):
    def run_json(line: str, code: int = 0) -> Any:
        done = every_way["user"].debug(planted, "-b", f"{line} --json")
        assert done.returncode == code, (line, done.stderr)
        return json.loads(done.stdout)

    (only,) = run_json("sockets -l")
    assert (only["port"], only["process"]) == (8080, "httpd")
    assert "index.html" in {row["name"] for row in run_json("files /www")}
    assert run_json("cgroup")["memory_limit"] == 64 << 20
    assert run_json("reach localhost:8080")["failed"] == ""
    assert run_json("reach localhost:81", 1)["failed"] == "refused"
    # Its first process reaps no children: what sessions leave would stay.
    assert {row["name"]: (row["depth"], row["state"]) for row in run_json("ps")} == {
        "sleep": (0, "sleeping"),
        "httpd": (1, "sleeping"),
    }
    # Helpers may not read the kernel's part of a stack; that a thread sleeps is reported all the same.
    assert b"sleep" in every_way["user"].debug(planted, "-b", "stack").stdout


def test_files_come_and_go_over_ssh_whatever_links_there_are(
    every_way: dict[str, Way], docker: Docker, planted: str, tmp_path: Path
):
    ssh = every_way["ssh"]
    (tmp_path / "sent").write_bytes(b"\0sent over" * 100_000)
    assert ssh.debug(planted, "-b", f"put {tmp_path}/sent /www/sent").returncode == 0
    there = Path(f"/proc/{main_pid(docker, planted)}/root/www/sent")
    assert there.read_bytes() == (tmp_path / "sent").read_bytes()
    assert ssh.debug(planted, "-b", f"get /www {tmp_path}/www").returncode == 0
    assert (tmp_path / "www/index.html").read_text() == "welcome\n"
    assert (tmp_path / "www/sent").read_bytes() == (tmp_path / "sent").read_bytes()
    assert ssh.debug(planted, "-b", f"get /www/magic {tmp_path}/magic").returncode != 0
    assert not (tmp_path / "magic").exists()


def test_a_capture_and_a_report_are_written_here(every_way: dict[str, Way], planted: str, tmp_path: Path):
    ssh = every_way["ssh"]
    file = tmp_path / "there.pcap"
    done = ssh.debug(planted, "-b", f"pcap -w {file} --seconds 0.5 --json")
    assert done.returncode == 0, done.stderr
    assert file.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"
    done = ssh.debug(planted, "-b", f"report {tmp_path}/report.tar.gz --json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert set(outcome["missing"]) == {"kernel.txt"}
    with tarfile.open(tmp_path / "report.tar.gz") as tar:
        parts = {Path(entry.name).name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]
    assert {row["name"] for row in json.loads(parts["ps.json"])} == {"sleep", "httpd"}
    assert b"planted-line" in parts["logs.txt"]
    assert b"sesame" not in b"".join(parts.values())


def test_what_runs_there_streams_and_a_stopped_one_is_seen_as_it_would_start(
    every_way: dict[str, Way], docker: Docker, planted: str, busybox: str
):
    user = every_way["user"]
    report = user.debug(planted, "-b", "trace open 1 --seconds 1")
    assert (report.returncode, report.stderr) == (0, b"")
    stopped = docker.create("elsewhere-stopped", busybox, "/missing", options=LONE)
    done = user.debug(stopped, "-b", "entrypoint --lint --json")
    assert [row["id"] for row in json.loads(done.stdout)] == ["missing-program"]
    assert done.returncode == 1
    assert b"[not-running]" in user.debug(stopped, "-b", "ps").stderr
    assert user.debug("--tier", "1", planted, "-b", "ps").returncode == 2


def test_a_killed_client_leaves_no_dead_process_to_a_first_one_that_reaps_none(
    every_way: dict[str, Way], docker: Docker, planted: str
):
    user = every_way["user"]
    main = Path(f"/proc/{main_pid(docker, planted)}")

    def traced() -> bool:
        return "TracerPid:\t0\n" not in (main / "status").read_text()

    words = user.command(planted, "-b", "trace signal 1")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user.options) as running:
        wait_until(traced)
        running.kill()
    wait_until(lambda: not traced())
    wait_until(lambda: len((main / "task" / main.name / "children").read_text().split()) == 1)  # the server alone
