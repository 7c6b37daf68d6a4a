"""Volumes that the engine mounts: for as long as a container uses one or a client reads from it, and no longer."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.staging import wait_until

TIMEOUT_S = 60.0
"""Seconds until a runtime that hasn't been called counts as never called."""
ROUNDS = 8
MEMORY = {"type": "tmpfs", "device": "tmpfs", "o": "size=64m"}


@pytest.fixture(scope="module")
def image(docker: Docker) -> str:
    """With a file that doesn't fit what lies between the engine and a client that doesn't read."""
    files = {**busybox_files(), "big": bytes(16 << 20)}
    return docker.image("volumes", files, 'CMD ["/bin/sh"]', directories=("tmp", "etc", "v"))


def volume(docker: Docker, short: str, **options: str) -> str:
    driver_options = [part for key, value in options.items() for part in ("--opt", f"{key}={value}")]
    return docker("volume", "create", "--label", f"pyd.test={docker.prefix}", *driver_options, docker.name(short))


def data_directory(engine: Pydd, name: str) -> Path:
    return engine.config.root / "volumes" / name / "_data"


def mounts(engine: Pydd, name: str) -> int:
    """Return how often a volume is mounted, one mount over the other."""
    return Path("/proc/self/mountinfo").read_text().count(f" {data_directory(engine, name)} ")


def mounted(engine: Pydd, name: str) -> bool:
    return mounts(engine, name) > 0


def stacked(engine: Pydd, docker: Docker, container: str) -> bool:
    """Return whether a container's layers are mounted; reading from a stopped container releases them last."""
    return os.path.ismount(engine.config.root / "containers" / docker.inspect(container)["Id"] / "merged")


def looks(engine: Pydd) -> int:
    """Return the number of open views of containers that don't run: each holds a mount namespace open."""
    assert engine.process is not None
    count = 0
    for path in Path(f"/proc/{engine.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            count += str(path.readlink()).startswith("mnt:")
    return count


@contextmanager
def looking(engine: Pydd, container: str, path: str) -> Iterator[None]:
    """Copy out of a container, and read no more of it than that it has begun."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(engine.config.socket_path))
        target = f"/v1.45/containers/{container}/archive?path={quote(path)}"
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: engine\r\n\r\n".encode())
        head = b""
        while b"ustar" not in head:
            data = client.recv(4096)
            assert data, head
            head += data
        yield


def failed(docker: Docker, *arguments: str) -> str:
    done = subprocess.run(["docker", "-H", docker.host, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr


def test_a_volume_that_was_mounted_for_a_copy_is_unmounted_after_it(
    pydd: Pydd, docker: Docker, image: str, tmp_path: Path
):
    source = tmp_path / "source"
    source.mkdir()
    memory, bound = (
        volume(docker, "memory", **MEMORY),
        volume(docker, "bound", type="none", device=str(source), o="bind"),
    )
    name = docker.create("looked", image, "true", options=("-v", f"{memory}:/v", "-v", f"{bound}:/tmp", *LONE))
    (tmp_path / "file").write_text("text")
    docker("cp", str(tmp_path / "file"), f"{name}:/tmp/there")
    assert (source / "there").read_text() == "text"
    assert not mounted(pydd, bound)
    docker("cp", f"{name}:/tmp/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "text"
    with looking(pydd, name, "/big"):
        docker("cp", f"{name}:/tmp/there", "-")
        assert (mounts(pydd, memory), mounts(pydd, bound)) == (1, 1)
    wait_until(lambda: not stacked(pydd, docker, name))
    assert not mounted(pydd, memory)
    assert not mounted(pydd, bound)
    docker("rm", name)
    docker("volume", "rm", memory, bound)
    assert (source / "there").exists()


def test_diff_and_export_mount_no_volumes(pydd: Pydd, docker: Docker, image: str, tmp_path: Path):
    memory = volume(docker, "memory", **MEMORY)
    nowhere = volume(docker, "nowhere", type="none", device=str(tmp_path / "nosuch"), o="bind")
    name = docker.create("exported", image, "true", options=("-v", f"{memory}:/v", "-v", f"{nowhere}:/tmp", *LONE))
    assert docker("diff", name) == ""
    docker("export", "-o", str(tmp_path / "exported.tar"), name)
    listed = subprocess.run(["tar", "tf", tmp_path / "exported.tar"], capture_output=True, text=True, check=True).stdout
    assert {"big", "bin/busybox"} <= set(listed.splitlines())
    assert "failed to mount local volume" in failed(docker, "cp", f"{name}:/big", "-")
    assert not mounted(pydd, memory)  # it was, for the copy that failed at the other
    assert not stacked(pydd, docker, name)
    docker("rm", name)
    docker("volume", "rm", memory, nowhere)


def test_a_look_and_a_container_keep_a_volume_for_each_other(pydd: Pydd, docker: Docker, image: str):
    memory = volume(docker, "memory", **MEMORY)
    options = ("-v", f"{memory}:/v", *LONE)
    looked = docker.create("looked", image, "true", options=options)
    with looking(pydd, looked, "/big"):
        runs = docker.run("runs", image, "sleep", "1000", options=options)
        docker("exec", runs, "touch", "/v/file")
    wait_until(lambda: not stacked(pydd, docker, looked))
    assert (data_directory(pydd, memory) / "file").exists()  # the container's own mount: it is used now
    with looking(pydd, looked, "/big"):
        docker("rm", "-f", runs)
        assert (data_directory(pydd, memory) / "file").exists()
    wait_until(lambda: not stacked(pydd, docker, looked))
    assert not mounted(pydd, memory)
    docker("rm", looked)
    docker("volume", "rm", memory)


def test_a_container_that_is_started_during_a_look_into_it_keeps_what_it_has(pydd: Pydd, docker: Docker, image: str):
    memory = volume(docker, "memory", **MEMORY)
    name = docker.create("started", image, "sleep", "1000", options=("-v", f"{memory}:/v", *LONE))
    with looking(pydd, name, "/big"), looking(pydd, name, "/bin"):
        docker("start", name)
        docker("exec", name, "touch", "/v/file")
        assert looks(pydd) == 2
    wait_until(lambda: looks(pydd) == 0)
    docker("cp", f"{name}:/v/file", "-")
    assert docker("exec", name, "ls", "/v") == "file"
    assert (data_directory(pydd, memory) / "file").exists()
    assert stacked(pydd, docker, name)
    docker("rm", "-f", name)
    assert not mounted(pydd, memory)
    docker("volume", "rm", memory)


def test_an_engine_that_was_killed_knows_who_uses_a_volume(docker: Docker, image: str):
    saved = subprocess.run(["docker", "-H", docker.host, "save", image], capture_output=True, check=True).stdout
    with Pydd.started() as engine, Docker(host=engine.host) as ours:
        ours("load", stdin=saved)
        used, looked = volume(ours, "used", **MEMORY), volume(ours, "looked", **MEMORY)
        lives = ours.run("lives", image, "sleep", "1000", options=("-v", f"{used}:/v", *LONE))
        ours("exec", lives, "touch", "/v/file")
        ends = ours.run("ends", image, "sleep", "1000", options=("-v", f"{used}:/v", *LONE))
        other = ours.create("other", image, "true", options=("-v", f"{looked}:/v", *LONE))
        pid = ours.inspect(ends)["State"]["Pid"]
        with looking(engine, other, "/big"):
            engine.kill()
        assert mounted(engine, looked)
        os.kill(pid, 9)  # while no engine watches
        engine.start()
        wait_until(lambda: not mounted(engine, looked))
        assert ours.inspect(ends)["State"]["Status"] == "exited"
        ours("run", "--rm", "-v", f"{used}:/v", *LONE, image, "ls", "/v/file")
        assert (data_directory(engine, used) / "file").exists()
        ours("rm", "-f", lives, ends, other)
        assert not mounted(engine, used)
        ours("volume", "rm", used, looked)
        ours("rmi", image)


@pytest.fixture
def halting(tmp_path: Path, docker: Docker, image: str) -> Iterator[tuple[Pydd, Docker, int, int]]:
    """An engine whose runtime reports that it is to create a container, and does so when the test lets it."""
    calls, gate, program, settings = (tmp_path / name for name in ("calls", "gate", "runtime", "settings.json"))
    os.mkfifo(calls)
    os.mkfifo(gate)
    program.write_text(
        f'#!/bin/sh\ncase " $* " in *" create "*) echo >{calls}; read -r _ <{gate} ;; esac\nexec runc "$@"\n'
    )
    program.chmod(0o755)
    settings.write_text(json.dumps({"runtimes": {"halting": {"path": str(program)}}}))
    saved = subprocess.run(["docker", "-H", docker.host, "save", image], capture_output=True, check=True).stdout
    ends = [os.open(pipe, os.O_RDWR) for pipe in (calls, gate)]
    try:
        with Pydd.started() as engine, Docker(host=engine.host) as ours:
            engine.stop()
            engine.start("--settings", str(settings))
            ours("load", stdin=saved)
            yield engine, ours, ends[0], ends[1]
            ours("rmi", image)
    finally:
        for end in ends:
            os.close(end)


def test_the_end_of_one_user_leaves_the_volume_to_another_that_starts(
    halting: tuple[Pydd, Docker, int, int], image: str
):
    engine, docker, calls, gate = halting
    memory = volume(docker, "memory", **MEMORY)
    options = ("-v", f"{memory}:/v", *LONE)
    first = docker.run("first", image, "sleep", "1000", options=options)
    docker("exec", first, "touch", "/v/file")
    second = docker.create("second", image, "sleep", "1000", options=("--runtime", "halting", *options))
    starting = subprocess.Popen(["docker", "-H", docker.host, "start", second], stdout=subprocess.DEVNULL)
    try:
        assert select.select([calls], [], [], TIMEOUT_S)[0], "the runtime wasn't called"
        docker("rm", "-f", first)  # the other has found the volume mounted, and doesn't run yet
    finally:
        os.write(gate, b"\n")
        assert starting.wait(TIMEOUT_S) == 0
    assert docker("exec", second, "ls", "/v") == "file"
    assert (data_directory(engine, memory) / "file").exists()
    docker("rm", "-f", second)
    assert not mounted(engine, memory)
    docker("volume", "rm", memory)


def test_a_start_that_fails_gives_its_volume_back(pydd: Pydd, docker: Docker, image: str):
    memory = volume(docker, "memory", **MEMORY)
    name = docker.create("fails", image, "/nosuch", options=("-v", f"{memory}:/v", *LONE))
    assert "nosuch" in failed(docker, "start", name)
    assert not mounted(pydd, memory)
    docker("rm", name)
    docker("volume", "rm", memory)


def test_users_that_come_and_go_all_see_what_they_wrote(pydd: Pydd, docker: Docker, image: str):
    memory = volume(docker, "memory", **MEMORY)
    names = [docker.create("comes", image, "sleep", "1000", options=("-v", f"{memory}:/v", *LONE)) for _ in range(2)]

    def live(name: str) -> None:
        for number in range(ROUNDS):
            docker("start", name)
            mark = f"{name}-{number}"
            docker("exec", name, "sh", "-ec", f"grep -q ' /v tmpfs ' /proc/mounts; touch /v/{mark}")
            assert (data_directory(pydd, memory) / mark).exists(), "it was unmounted under a container that uses it"
            docker("cp", f"{name}:/v/{mark}", "-")
            docker("kill", name)

    with ThreadPoolExecutor(len(names)) as pool:
        for done in [pool.submit(live, name) for name in names]:
            done.result()
    assert not mounted(pydd, memory)
    docker("rm", *names)
    docker("volume", "rm", memory)
