"""Containers that race with the engine over their files: nothing of the machine is read, written or changed.

Each attack is a static program in a container with default rights. What the engine must not touch is a file or a
directory of the machine that this test made; where Docker Engine is the measure, it runs the same attack.
"""

from __future__ import annotations

import io
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from support.attack_programs import PROGRAMS
from support.docker import LONE, Docker, busybox_files, compile_static
from support.pydd import Pydd
from support.staging import wait_until

FILES = 200
ROUNDS = 3


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes | Path | str]:
    directory = tmp_path_factory.mktemp("attacks")
    return {name: compile_static(source, directory / name) for name, source in PROGRAMS.items()}


def hostile_image(engine: Docker, programs: dict[str, bytes | Path | str]) -> str:
    """An image with the attacks, and a directory of setuid files that new volumes get."""
    files = {**busybox_files(), **programs, **{f"data/f{number:04}": b"of the image" for number in range(FILES)}}
    modes = {f"data/f{number:04}": 0o4755 for number in range(FILES)}
    return engine.image("attacks", files, 'CMD ["/bin/sh"]', directories=("tmp", "etc", "data"), modes=modes)


@pytest.fixture(scope="module")
def image(docker: Docker, programs: dict[str, bytes | Path | str]) -> str:
    return hostile_image(docker, programs)


@pytest.fixture(scope="module")
def image_of_both(both: Docker, programs: dict[str, bytes | Path | str]) -> str:
    return hostile_image(both, programs)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the machine that no container may change."""
    file = tmp_path / "victim"
    file.write_text("of the machine")
    file.chmod(0o600)
    return file


def assert_untouched(victim: Path) -> None:
    assert (victim.read_text(), oct(victim.stat().st_mode), victim.stat().st_uid) == ("of the machine", "0o100600", 0)
    assert [path.name for path in victim.parent.iterdir()] == ["victim"]


def attacker(engine: Docker, image: str, *command: str, options: tuple[str, ...] = LONE) -> str:
    name = engine.run("attacker", image, *command, options=options)
    wait_until(lambda: "ready" in engine("logs", name))
    return name


def volume_of(engine: Docker, short: str) -> str:
    return engine("volume", "create", "--label", f"pyd.test={engine.prefix}", engine.name(short))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_links_planted_in_a_volume_while_it_is_filled_lead_nowhere(
    docker: Docker, image: str, victim: Path, number: int
):
    """Version 0.1 wrote the image's setuid files over the machine's file, as root."""
    volume = volume_of(docker, f"filled{number}")
    racing = attacker(docker, image, "/plant", "/v", str(FILES), str(victim), options=(*LONE, "-v", f"{volume}:/v"))
    filled = docker.create("filled", image, "true", options=(*LONE, "-v", f"{volume}:/data"))
    docker("start", "-a", filled)
    wait_until(lambda: "planted" in docker("logs", racing))
    assert_untouched(victim)
    docker("rm", "-f", racing, filled)
    docker("volume", "rm", volume)


def test_a_container_that_empties_its_volume_and_starts_again_finds_it_empty(both: Docker, image_of_both: str):
    """Version 0.1 filled it at each start, so that two services of one file could race for ever."""
    volume = volume_of(both, "emptied")
    options = (*LONE, "-v", f"{volume}:/data")
    name = both.create("emptied", image_of_both, "sh", "-c", "ls /data | wc -l; rm -rf /data/*", options=options)
    assert [both("start", "-a", name) for _ in range(3)] == [str(FILES), "0", "0"]
    assert both("run", "--rm", *options, image_of_both, "sh", "-c", "ls /data | wc -l") == str(
        FILES
    )  # another's creation
    both("rm", name)
    both("volume", "rm", volume)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_links_put_in_the_place_of_pipes_while_they_are_copied_in_keep_their_targets_modes(
    both: Docker, image_of_both: str, victim: Path, number: int
):
    """Version 0.1 changed the mode of the machine's file in each of eight copies."""
    count = 3000
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for index in range(count):
            entry = tarfile.TarInfo(f"f{index:05}")
            entry.type, entry.mode = tarfile.FIFOTYPE, 0o4777
            tar.addfile(entry)
    name = attacker(both, image_of_both, "/exchange", str(count), str(victim), "20")
    copied = subprocess.run(
        ["docker", "-H", both.host, "cp", "-", f"{name}:/d"], input=archive.getvalue(), capture_output=True, check=False
    )
    assert copied.returncode in {0, 1}, copied
    assert_untouched(victim)
    both("rm", "-f", name)


def test_a_terminal_that_is_copied_out_is_archived_and_not_opened(programs: dict[str, bytes | Path | str]):
    """Version 0.1 got a container's pty as its controlling terminal, whose hang-up ended it."""
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        engine.stop()
        engine.start(before=("setsid",))  # as `pyd` and systemd start it; a session leader can get a terminal
        assert engine.process is not None
        name = attacker(corner, hostile_image(corner, programs), "/pty")
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(engine.config.socket_path))) as client:
            answer = client.get(f"http://engine/containers/{name}/archive?path=/dev/pts/0")
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            assert [(entry.name, entry.type) for entry in tar] == [("0", tarfile.CHRTYPE)]
        terminal = Path(f"/proc/{engine.process.pid}/stat").read_text().rpartition(")")[2].split()[4]
        assert terminal == "0"
        corner("rm", "-f", name)
        assert corner("version")


def test_a_hang_up_doesnt_end_an_engine_without_a_terminal():
    """A second wall before the same end: SIGHUP is what a terminal's end sends."""
    with Pydd.started() as engine:
        engine.stop()
        engine.start(before=("setsid",))
        assert engine.process is not None
        engine.process.send_signal(signal.SIGHUP)
        with Docker(host=engine.host) as corner:
            assert corner("version")
        assert engine.process.poll() is None


def test_pipes_and_devices_are_archived_with_their_types(both: Docker, image_of_both: str):
    """Version 0.1 opened pipes and devices to read them, and called them empty files."""
    script = "mkfifo /tmp/pipe; mknod /tmp/disk b 7 0; mknod /tmp/null c 1 3; ln -s pipe /tmp/link"
    name = both.create("kinds", image_of_both, "sh", "-c", script, options=LONE)
    both("start", "-a", name)
    expected = {"pipe": tarfile.FIFOTYPE, "disk": tarfile.BLKTYPE, "null": tarfile.CHRTYPE, "link": tarfile.SYMTYPE}
    for path, members in (("/tmp/pipe", {"pipe"}), ("/tmp/disk", {"disk"}), ("/tmp/.", set(expected))):
        done = subprocess.run(
            ["docker", "-H", both.host, "cp", f"{name}:{path}", "-"], capture_output=True, check=True, timeout=60
        )
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            kinds = {entry.name.removeprefix("./"): entry.type for entry in tar if not entry.isdir()}
        assert kinds == {key: value for key, value in expected.items() if key in members}
    both("rm", name)


def test_a_directory_exchanged_for_a_link_never_brings_the_machines_names_into_a_diff(
    docker: Docker, image: str, tmp_path: Path
):
    """Version 0.1 revealed the machine's names in seven of forty answers and failed in thirty-two. So does Docker."""
    secret = tmp_path / "secret"
    for number in range(200):
        (secret / f"marker{number:03}").mkdir(parents=True)
    name = attacker(docker, image, "/flip", str(secret))
    for _ in range(20):
        assert "marker" not in docker("diff", name)
    docker("rm", "-f", name)


def nested(engine: Docker, image: str, count: int, length: int) -> tuple[str, str]:
    """Make a container with directories in each other; return its name and the path of the file in the last."""
    name = engine.create("deep", image, "/nest", str(count), str(length), options=LONE)
    engine("start", "-a", name)
    return name, "deep/" + "/".join(["d" * length] * count) + "/leaf"


def holds(engine: Docker, archive: Path, leaf: str, *command: str) -> bool:
    """Return whether the archive that a docker CLI command writes has a file."""
    with archive.open("wb") as file:
        subprocess.run(["docker", "-H", engine.host, *command], stdout=file, check=True)
    with tarfile.open(archive) as tar:
        return any(entry.name == leaf for entry in tar)


@pytest.mark.parametrize("count", [600, 1500])
def test_however_deep_directories_are_nested_they_are_exported_copied_and_removed(
    both: Docker, image_of_both: str, tmp_path: Path, count: int
):
    """Version 0.1 ended these in RecursionError."""
    name, leaf = nested(both, image_of_both, count, 1)
    assert holds(both, tmp_path / "tar", leaf, "export", name)
    assert holds(both, tmp_path / "tar", leaf, "cp", f"{name}:/deep", "-")
    both("rm", name)


@pytest.mark.parametrize(("count", "length"), [(1500, 1), (5000, 1), (300, 200), (60, 255)])
def test_paths_that_are_longer_than_the_kernel_takes_are_files_like_others(
    pydd: Pydd, tmp_path: Path, image: str, count: int, length: int
):
    """Docker Engine fails at most of this, and version 0.1 at all: RecursionError, ENAMETOOLONG."""
    with Docker(host=pydd.host) as docker:
        name, leaf = nested(docker, image, count, length)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(pydd.config.socket_path)), timeout=120) as client:
            changes = client.get(f"http://engine/containers/{name}/changes").json()
            size = client.get(f"http://engine/containers/{name}/json?size=1").json()["SizeRw"]
        assert {"Path": f"/{leaf}", "Kind": 1} in changes
        assert (len(changes), size) == (count + 2, 4)
        assert holds(docker, tmp_path / "tar", leaf, "export", name)
        assert holds(docker, tmp_path / "tar", leaf, "cp", f"{name}:/deep", "-")
        committed = docker.name("deep") + ":1"
        docker("commit", name, committed)
        docker("rm", name)
        again = docker.create("again", committed, "true", options=LONE)
        assert holds(docker, tmp_path / "tar", leaf, "export", again)
        docker("rm", again)
        docker("rmi", committed)


def test_the_target_of_a_link_in_a_volume_is_read_only_with_its_root(both: Docker, image_of_both: str, tmp_path: Path):
    """Version 0.1 wrote there: it went by the names in the path alone."""
    (tmp_path / "file").write_text("text")
    name = both.create(
        "readonly", image_of_both, "ln", "-s", "/etc", "/vol/link", options=(*LONE, "--read-only", "-v", "/vol")
    )
    both("start", "-a", name)
    for path, words in (("/etc", "container rootfs is marked read-only"), ("/vol/link/", "is marked read-only")):
        refused = subprocess.run(
            ["docker", "-H", both.host, "cp", str(tmp_path / "file"), f"{name}:{path}"],
            capture_output=True,
            check=False,
        )
        assert refused.returncode == 1
        assert words in refused.stderr.decode()
    both("cp", str(tmp_path / "file"), f"{name}:/vol/")
    assert both("diff", name) == "A /vol"
    both("rm", "-v", name)


def test_an_archives_own_link_doesnt_lead_into_a_read_only_root(docker: Docker, image: str):
    """The volume may be written to, and what the archive's link leads to not."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        link = tarfile.TarInfo("way")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("way/planted"))
    name = docker.create("readonly", image, "true", options=(*LONE, "--read-only", "-v", "/vol"))
    done = subprocess.run(
        ["docker", "-H", docker.host, "cp", "-", f"{name}:/vol"],
        input=archive.getvalue(),
        capture_output=True,
        check=False,
    )
    assert b"read-only file system" in done.stderr
    assert docker("diff", name) == "A /vol"
    docker("rm", "-v", name)


@pytest.mark.parametrize("running", [True, False])
def test_a_copy_takes_no_mount_away(both: Docker, image_of_both: str, tmp_path: Path, *, running: bool):
    """Version 0.1 unmounted hosts, and whatever else it replaced, in the running container."""
    (tmp_path / "hosts").write_text("copied")
    name = both.run("mounted", image_of_both, "sleep", "1000", options=LONE)
    if not running:
        both("kill", name)
    refused = subprocess.run(
        ["docker", "-H", both.host, "cp", str(tmp_path / "hosts"), f"{name}:/etc/hosts"],
        capture_output=True,
        check=False,
    )
    assert b"device or resource busy" in refused.stderr
    both("cp", f"{name}:/etc/hosts", str(tmp_path / "back"))
    assert "localhost" in (tmp_path / "back").read_text()
    assert both("diff", name) == ""
    both("rm", "-f", name)


@pytest.fixture
def restarting(both: Docker, image_of_both: str) -> Iterator[str]:
    """A container that ends and starts again all the time."""
    name = both.run(
        "restarting", image_of_both, "true", options=("--network", "none", "--restart", "always", "-v", "/v")
    )
    yield name
    both("rm", "-fv", name)


def test_copying_into_a_container_that_starts_again_and_again_works(both: Docker, restarting: str):
    """Version 0.1 failed in one of thirteen: the process whose root it had looked up was gone."""
    host = both.host.removeprefix("unix://")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("planted"))
    with httpx.Client(transport=httpx.HTTPTransport(uds=host), timeout=60) as client:
        for path in ("/tmp", "/v"):
            url = f"http://engine/containers/{restarting}/archive?path={quote(path)}"
            answers = [client.put(url, content=archive.getvalue()) for _ in range(30)]
            answers += [client.get(f"{url}/planted") for _ in range(30)]
            assert [answer.text for answer in answers if answer.status_code != 200] == []


def test_names_of_a_volume_never_lead_out_of_it_as_its_part(both: Docker, image_of_both: str):
    """Docker Engine refuses a part that is a link out; version 0.1 mounted what it would be from the volume's root."""
    volume = volume_of(both, "part")
    both(
        "run",
        "--rm",
        *LONE,
        "-v",
        f"{volume}:/v",
        image_of_both,
        "sh",
        "-c",
        "mkdir /v/sub; ln -s / /v/out; ln -s sub /v/in",
    )
    option = f"type=volume,source={volume},target=/p,volume-subpath="
    refused = subprocess.run(
        ["docker", "-H", both.host, "run", "--rm", *LONE, "--mount", f"{option}out", image_of_both, "true"],
        capture_output=True,
        check=False,
    )
    assert b"path concatenation escapes the base directory" in refused.stderr
    both("run", "--rm", *LONE, "--mount", f"{option}in", image_of_both, "ls", "/p")
    both("run", "--rm", *LONE, "--mount", f"{option}sub/../sub", image_of_both, "ls", "/p")
    both("volume", "rm", volume)
