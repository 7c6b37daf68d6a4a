"""Files of containers whose root has no rights on the host: images, archives, volumes and binds with `userns-remap`."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import LONE, Docker
from support.remapped import WEB, Remapped, archived, owned_image, owner, ran


@pytest.fixture(scope="module")
def engine() -> Iterator[Remapped]:
    with Remapped.started() as remapped:
        yield remapped


@pytest.fixture(scope="module")
def docker(engine: Remapped) -> Iterator[Docker]:
    with Docker(host=engine.pydd.host) as corner:
        yield corner


@pytest.fixture(scope="module")
def image(docker: Docker) -> str:
    return owned_image(docker)


def test_files_keep_their_numbers_wherever_they_are_read(engine: Remapped, docker: Docker, image: str):
    name = docker.run("files", image, "sleep", "1000", options=LONE)
    docker("exec", name, "sh", "-c", "echo x > /mine; echo x > /theirs; chown 7:8 /theirs; rm /data/seed")
    changed = docker("diff", name).splitlines()
    upper = engine.pydd.config.root / "containers" / docker.inspect(name)["Id"] / "diff"

    def look() -> None:
        assert [(upper / path).lstat().st_uid for path in ("mine", "theirs", "data/seed")] == [0, 7, 0]
        assert archived(docker, "cp", f"{name}:/theirs", "-") == {"theirs": (7, 8)}
        packed = archived(docker, "export", name)
        assert (packed["mine"], packed["theirs"], packed["data"]) == ((0, 0), (7, 8), WEB)
        assert docker("diff", name).splitlines() == changed

    look()
    docker("stop", name)
    look()
    docker("start", name)
    assert (owner(docker, name, "/mine"), owner(docker, name, "/theirs")) == ((0, 0), (7, 8))
    snap = f"{docker.name('snap')}:1"
    docker("commit", name, snap)
    assert ran(docker, snap, "stat -c %u:%g /mine /theirs; ls /data", *LONE).split() == ["0:0", "7:8"]
    docker("rm", "-f", name)


def packed(name: str, uid: int, body: bytes = b"", **pax: str) -> bytes:
    """An archive of one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        entry.uid = entry.gid = uid
        entry.size, entry.mode, entry.pax_headers = len(body), 0o755, pax
        tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


def test_files_copied_in_have_the_archives_owners(docker: Docker, image: str):
    running = docker.run("into", image, "sleep", "1000", options=LONE)
    stopped = docker.create("into", image, "sleep", "1000", options=LONE)
    for name in (running, stopped):
        docker("cp", "-a", "-", f"{name}:/", stdin=packed("copied", 33))
    docker("start", stopped)
    for name in (running, stopped):
        assert owner(docker, name, "/copied") == (33, 33)
    with pytest.raises(AssertionError, match="no user 70000"):
        docker("cp", "-a", "-", f"{running}:/", stdin=packed("far", 70000))
    docker("rm", "-f", running, stopped)


@pytest.mark.parametrize("uid", [70000, (1 << 32) - 2])
def test_ids_beyond_the_range_are_shown_as_nobody_and_stay(engine: Remapped, docker: Docker, image: str, uid: int):
    name = docker.create("beyond", image, "sleep", "1000", options=LONE)
    docker("cp", "-a", "-", f"{name}:/", stdin=packed("far", uid, b"x"))
    docker("start", name)
    config = engine.pydd.config
    assert engine.pydd.process is not None
    view = Path(f"/proc/{engine.pydd.process.pid}/root{config.run}/ids/containers/{docker.inspect(name)['Id']}")
    assert (view / "diff/far").stat().st_uid == 65534  # on the host too: nobody's, least of all root's
    assert owner(docker, name, "/far") == (65534, 65534)
    assert docker("exec", name, "sh", "-c", "cat /far; chown 0 /far || rm /far || echo no") == "xno"
    docker("stop", name)
    assert archived(docker, "cp", f"{name}:/far", "-") == {"far": (uid, uid)}
    assert "A /far" in docker("diff", name)
    docker("rm", name)


def test_capabilities_of_files_hold_for_the_containers_root(docker: Docker, image: str):
    """In an image, in what is copied in, and in what is copied out again; see capabilities(7)."""
    header = "SCHILY.xattr.security.capability"
    value = bytes([1, 0, 0, 2, 1, *bytes(15)]).decode()  # revision 2, effective, CAP_CHOWN
    whole = packed("busybox-able", 0, Path("/bin/busybox").read_bytes(), **{header: value})
    name = docker.create("able", image, "sleep", "1000", options=LONE)
    docker("cp", "-", f"{name}:/", stdin=whole)
    image_name = f"{docker.name('able')}:1"
    docker("commit", name, image_name)
    docker("rm", name)
    script = "touch /tmp/x; /busybox-able chown 7 /tmp/x; stat -c %u /tmp/x"
    assert ran(docker, image_name, script, *LONE, "--user", "web") == "7"
    name = docker.run("able", image, "sleep", "1000", options=LONE)
    docker("cp", "-", f"{name}:/", stdin=whole)
    assert docker("exec", "--user", "web", name, "sh", "-c", script) == "7"
    out = subprocess.run(
        ["docker", "-H", docker.host, "cp", f"{name}:/busybox-able", "-"], capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(out.stdout)) as tar:
        assert tar.getmember("busybox-able").pax_headers[header] == value
    docker("rm", "-f", name)


def test_volumes_are_filled_written_and_shared_with_real_root(engine: Remapped, docker: Docker, image: str):
    volume = docker("volume", "create", "--label", f"pyd.test={docker.prefix}")
    script = "stat -c %u:%g /data /data/seed; echo x > /data/mine && stat -c %u /data/mine"
    assert ran(docker, image, script, *LONE, "-v", f"{volume}:/data").split() == ["1000:1000", "1000:1000", "0"]
    files = engine.pydd.config.root / "volumes" / volume / "_data"
    assert [(files / name).stat().st_uid for name in ("seed", "mine")] == [1000, 0]
    script = "stat -c %u /data/seed /data/mine; echo y > /data/host"
    assert ran(docker, image, script, *LONE, "--userns", "host", "-v", f"{volume}:/data").split() == ["1000", "0"]
    assert ran(docker, image, "stat -c %u /v/host; rm /v/host", *LONE, "-v", f"{volume}:/v") == "0"
    assert ran(docker, image, "stat -c %u:%g /tmp/of", *LONE, "--mount", "type=volume,target=/tmp/of") == "0:0"
    docker("volume", "rm", volume)


def test_a_volume_with_a_file_system_of_its_own_is_left_as_it_is(docker: Docker, image: str):
    options = ("-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=uid=0,mode=755")
    volume = docker("volume", "create", "--label", f"pyd.test={docker.prefix}", *options)
    assert ran(docker, image, "stat -c %u /v; touch /v/x || echo no", *LONE, "-v", f"{volume}:/v").split() == [
        "65534",
        "no",
    ]
    docker("volume", "rm", volume)


def test_binds_are_left_as_they_are(engine: Remapped, docker: Docker, image: str, tmp_path: Path):
    shared = engine.pydd.home / "shared"
    shared.mkdir(mode=0o755)
    (shared / "hosts").write_text("")
    (shared / "theirs").write_text("")
    os.chown(shared / "theirs", *engine.owner)
    script = "stat -c %u /b/hosts /b/theirs; touch /b/new || echo no"
    assert ran(docker, image, script, *LONE, "-v", f"{shared}:/b").split() == ["65534", "0", "no"]
