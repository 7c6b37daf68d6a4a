"""A full disk, clients that vanish, programs that are missing: the errors, and that nothing is lost or left."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.pydd import Pydd
from support.registry import Registry
from support.staging import wait_until

SMALL = 24 << 20
"""Bytes of the small disk: enough for busybox, not for the image that is pulled."""
BUSY = 64 << 20
"""Bytes a busy container prints, with the log's own."""


@pytest.fixture
def cramped() -> Iterator[Pydd]:
    """An engine whose data lie on a small file system of their own."""
    with Pydd.started() as engine:
        engine.stop()
        root = engine.config.root
        subprocess.run(["rm", "-rf", str(root)], check=True)
        root.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(root)], check=True)
        try:
            engine.start()
            yield engine
            engine.stop()
        finally:
            subprocess.run(["umount", "-l", str(root)], check=True)
        engine.start()


def test_a_full_disk_is_reported_and_existing_objects_stay_usable(cramped: Pydd, docker: Docker, tmp_path: Path):
    noise = random.Random(5).randbytes(SMALL)
    big = docker.image("big", {**busybox_files(), "noise": noise}, 'CMD ["/bin/sh"]')
    with Registry.started(tmp_path) as registry, Docker(host=cramped.host) as ours:
        remote = f"{registry.address}/too/big:1"
        docker("tag", big, remote)
        docker("push", remote)
        docker("rmi", remote, big)
        small = ours.image("small", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp",))
        lives = ours.run("lives", small, "sleep", "1000", options=("--network", "none"))
        done = subprocess.run(["docker", "-H", cramped.host, "pull", remote], capture_output=True, check=False)
        assert done.returncode != 0
        assert b"no space left" in done.stderr.lower()
        assert list((cramped.config.root / "blobs/spool").iterdir()) == []
        assert ours("exec", lives, "echo", "here") == "here"
        fill = "dd if=/dev/zero of=/full bs=64k 2>/dev/null; echo filled"
        assert ours("exec", lives, "sh", "-c", fill) == "filled"
        done = subprocess.run(
            ["docker", "-H", cramped.host, "create", "--name", ours.name("late"), small],
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:  # the database may have had room for one more row
            assert b"no space left" in done.stderr.lower()
        ours("exec", lives, "rm", "/full")
        assert ours("run", "--rm", "--network", "none", small, "echo", "again") == "again"
        cramped.kill()
        cramped.start()
        assert ours("exec", lives, "echo", "still") == "still"
        ours("rm", "-f", *ours("ps", "-aq").split())


def vanish(host: Pydd, request: str) -> None:
    """Send a request, read the beginning of its answer and disconnect."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(120)
        client.connect(str(host.config.socket_path))
        client.sendall(request.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 ")


def descriptors(engine: Pydd) -> int:
    assert engine.process is not None
    return len(os.listdir(f"/proc/{engine.process.pid}/fd"))  # noqa: PTH208 - how many, not which


def test_clients_that_vanish_in_mid_stream_leave_nothing_open(pydd: Pydd, docker: Docker, busybox: str):
    name = docker.run("source", busybox, "sh", "-c", "timeout 100 yes line", options=("--network", "none"))
    docker("exec", name, "true")
    before = descriptors(pydd)
    exec_id = json.loads(
        subprocess.run(
            ["curl", "-s", "--unix-socket", str(pydd.config.socket_path), "-H", "Content-Type: application/json",
             "-d", '{"Cmd": ["sleep", "1000"], "AttachStdout": true}', f"http://e/containers/{name}/exec"],
            capture_output=True, check=True,
        ).stdout
    )["Id"]  # fmt: skip
    upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
    body = '{"Detach": false}'
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    for request in (
        f"GET /containers/{name}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: e\r\n\r\n",
        f"GET /containers/{name}/stats HTTP/1.1\r\nHost: e\r\n\r\n",
        "GET /events HTTP/1.1\r\nHost: e\r\n\r\n",
        f"POST /containers/{name}/wait HTTP/1.1\r\nHost: e\r\n\r\n",
        f"GET /containers/{name}/export HTTP/1.1\r\nHost: e\r\n\r\n",
        f"POST /containers/{name}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: e\r\n{upgrade}\r\n",
        f"POST /exec/{exec_id}/start HTTP/1.1\r\nHost: e\r\n{upgrade}{length}\r\n{body}",
    ):
        for _ in range(3):
            vanish(pydd, request)
    docker("rm", "-f", name)
    for _ in range(50):  # asking is what takes the time in which it closes them
        docker("ps")
        if descriptors(pydd) <= before:
            return
    assert descriptors(pydd) <= before


def resident(engine: Pydd) -> int:
    """Bytes of memory the engine holds."""
    assert engine.process is not None
    lines = Path(f"/proc/{engine.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) << 10


def test_a_client_that_reads_nothing_of_a_busy_log_costs_neither_memory_nor_others_turns(
    pydd: Pydd, docker: Docker, busybox: str
):
    """The log grows by far more than what the engine may hold of it, while other clients are served."""
    name = docker.run("busy", busybox, "sh", "-c", "timeout 100 yes line", options=("--network", "none"))
    log = Path(docker.inspect(name)["LogPath"])
    before = resident(pydd)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(pydd.config.socket_path))
        client.sendall(f"GET /containers/{name}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: e\r\n\r\n".encode())
        while log.stat().st_size < BUSY:
            assert docker("ps", "-q", "--filter", f"name={name}")
        assert resident(pydd) - before < BUSY / 4
    docker("rm", "-f", name)


def test_containers_that_end_at_once_leave_no_dead_processes_behind(pydd: Pydd, docker: Docker, busybox: str):
    assert pydd.process is not None
    options = ("--network", "none", "--restart", "on-failure:3")
    names = [docker.run("brief", busybox, "false", options=options) for _ in range(6)]
    docker("wait", *names)
    wait_until(lambda: all(docker.inspect(name)["State"]["Status"] == "exited" for name in names))
    for label, command in (("missing", "/nowhere"), ("directory", "/etc")):
        names.append(docker.name(label))
        docker("run", "-d", "--network", "none", "--name", names[-1], busybox, command, check=False)
    own = Path(f"/proc/{pydd.process.pid}/task/{pydd.process.pid}/children")
    wait_until(lambda: "Z" not in [_state(pid) for pid in own.read_text().split()])
    docker("rm", *names)


def test_commands_that_are_begun_while_their_container_is_killed_hold_nothing_up(
    pydd: Pydd, docker: Docker, busybox: str
):
    """Processes that the runtime has put into a container's pid namespace keep its first process from ending."""
    assert pydd.process is not None
    for _ in range(6):
        name = docker.run("killed", busybox, "sleep", "1000", options=("--network", "none"))
        begun = [
            subprocess.Popen(["docker", "-H", docker.host, "exec", name, "true"], stderr=subprocess.DEVNULL)
            for _ in range(8)
        ]
        docker("kill", name)
        docker("rm", "-f", name)
        for process in begun:
            process.wait(60)
    own = Path(f"/proc/{pydd.process.pid}/task/{pydd.process.pid}/children")
    wait_until(lambda: "Z" not in [_state(pid) for pid in own.read_text().split()])


def _state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def without(*programs: str) -> list[str]:
    """The beginning of a command that runs where these programs can't be found."""
    hidden = [
        shutil.which(program, path="/usr/bin:/usr/sbin:/usr/lib/podman:/usr/libexec/podman") for program in programs
    ]
    covered = "".join(f"mount --bind /dev/null {path}; " for path in hidden if path)
    return ["unshare", "--mount", "sh", "-c", f'{covered}exec "$@"', "sh"]


@pytest.mark.parametrize(
    ("programs", "package"),
    [(("conmon",), "apt-get install conmon"), (("crun", "runc"), "apt-get install crun runc")],
)
def test_an_engine_that_lacks_a_required_program_names_the_package(
    tmp_path: Path, programs: tuple[str, ...], package: str
):
    directories = ["--root", str(tmp_path / "root"), "--run", str(tmp_path / "run")]
    command = [*without(*programs), sys.executable, "-m", "pyd_core.daemon", *directories]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert package in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("program", "package"), [("aardvark-dns", "aardvark-dns"), ("nft", "nftables")])
def test_a_network_that_lacks_a_program_names_the_package(program: str, package: str):
    """The engine works without it as long as no container needs it."""
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("lacks", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        network = docker.name("lacks")
        engine.stop()
        engine.start(before=without(program))
        assert docker("run", "--rm", "--network", "none", image, "echo", "fine") == "fine"
        refused = b""
        for command in (
            ("network", "create", network),
            ("run", "--rm", "-p", "127.0.0.1::80", "--network", network, image, "true"),
        ):
            done = subprocess.run(["docker", "-H", engine.host, *command], capture_output=True, check=False)
            refused += done.stderr
        assert f"apt-get install {package}".encode() in refused
        assert docker("ps", "-aq") == ""
        engine.stop()
        engine.start()
        docker("network", "rm", network, check=False)


def test_a_container_whose_conmon_is_killed_is_reported_as_exited_and_leaves_no_zombie(
    pydd: Pydd, docker: Docker, busybox: str
):
    assert pydd.process is not None
    name = docker.run("unheld", busybox, "sleep", "1000", options=("--network", "none"))
    main = Path(f"/proc/{docker.inspect(name)['State']['Pid']}/stat").read_text()
    os.kill(int(main.rpartition(")")[2].split()[1]), signal.SIGKILL)
    assert docker("wait", name) == "137"
    own = Path(f"/proc/{pydd.process.pid}/task/{pydd.process.pid}/children")
    wait_until(lambda: "Z" not in [_state(pid) for pid in own.read_text().split()])
    docker("rm", name)


def test_a_client_that_reads_nothing_does_not_hold_up_the_end_of_the_engine():
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        image = docker.image("wordy", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        name = docker.run("wordy", image, "sh", "-c", "yes line | head -c 4000000", options=("--network", "none"))
        docker("wait", name)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(engine.config.socket_path))
            client.sendall(f"GET /containers/{name}/logs?stdout=1 HTTP/1.1\r\nHost: e\r\n\r\n".encode())
            assert client.recv(9) == b"HTTP/1.1 "
            engine.stop()
            assert engine.process is not None
            assert engine.process.returncode == 0
        engine.start()
        docker("rm", name)


STUCK = """
import asyncio, sys, threading
from pathlib import Path
from pyd_core.daemon import __main__, serve
from pyd_core.daemon.config import DaemonConfig

async def sidecar(address, last_output):
    await asyncio.to_thread(threading.Event().wait)

serve.STOP_TIMEOUT_S = 1.0
home = Path(sys.argv[1])
sys.exit(__main__.run(DaemonConfig(root=home / "root", run=home / "run"), sidecar=sidecar))
"""


def test_an_engine_with_a_thread_that_never_comes_back_ends_all_the_same_and_says_where_it_hung(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-u", "-c", STUCK, str(tmp_path)], stderr=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stderr is not None
        wait_until((tmp_path / "run" / "pyd.sock").exists)
        docker = subprocess.run(["docker", "-H", f"unix://{tmp_path}/run/pyd.sock", "ps"], check=False)
        engine.send_signal(signal.SIGTERM)
        try:
            output = engine.communicate(timeout=60)[1]
        finally:
            engine.kill()
    assert docker.returncode == 0
    assert "Timeout" in output
    assert "threading.py" in output


def test_no_other_user_of_the_machine_reads_what_containers_are_given_or_keep(pydd: Pydd, docker: Docker, busybox: str):
    word = f"secret-{docker.prefix}"
    command = f"echo {word} | tee /volume/f > /kept; cp /bin/busybox /volume/su; chmod u+s /volume/su; sleep 1000"
    options = ("-e", f"WORD={word}", "-v", f"{docker.name('private')}:/volume", "--network", "none")
    name = docker.run("private", busybox, "sh", "-c", command, options=options)
    wait_until(lambda: docker("exec", name, "sh", "-c", "test -u /volume/su; echo $?") == "0")
    docker("exec", "-d", "-e", f"MORE={word}", name, "sleep", "1000")
    directories = [str(pydd.config.root), str(pydd.config.run)]
    above = Path(os.path.commonpath(directories))
    before = above.stat().st_mode
    above.chmod(0o711)  # as /var/lib and /run are
    try:
        search = ["grep", "-rls", word, *directories]
        assert subprocess.run(search, capture_output=True, check=False).stdout != b""
        assert subprocess.run(search, capture_output=True, check=False, user=65534, group=65534).stdout == b""
        known = docker.inspect(name)["Mounts"][0]["Source"]
        for path in (f"{known}/su", f"{pydd.config.run}/c/{docker.inspect(name)['Id']}/config.json"):
            assert Path(path).exists()
            tried = subprocess.run(["cat", path], capture_output=True, check=False, user=65534, group=65534)
            assert b"denied" in tried.stderr
    finally:
        above.chmod(before)
    docker("rm", "-f", "-v", name)
    docker("volume", "rm", "-f", docker.name("private"))
