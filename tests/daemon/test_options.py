"""Options of a creation, checked in the container and on the host rather than by what inspect repeats."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd

RUN = ("run", "--rm", *LONE)


def completed(docker: Docker, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", "-H", docker.host, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A mount of the test's own that passes on what is mounted in it, with another mounted below."""
    directory = tmp_path / "shared"
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(directory)], check=True)
    try:
        subprocess.run(["mount", "--make-shared", str(directory)], check=True)
        for name in ("below", "later"):
            (directory / name).mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(directory / "below")], check=True)
        yield directory
    finally:
        subprocess.run(["umount", "-l", "-R", str(directory)], check=True)


def test_a_log_driver_that_isnt_here_is_refused(docker: Docker, busybox: str):
    for driver in ("syslog", "journald", "nosuch"):
        done = completed(docker, *RUN, "--log-driver", driver, busybox, "true")
        assert done.returncode == 125
        assert f'plugin "{driver}" not found' in done.stderr
    assert sorted(json.loads(docker("info", "-f", "{{json .Plugins.Log}}"))) == ["json-file", "local", "none"]


def test_without_a_log_nothing_is_kept_and_who_is_attached_sees_all(both: Docker):
    image = both.image("unlogged", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    assert both(*RUN, "--log-driver", "none", image, "echo", "attached") == "attached"
    name = both.run("unlogged", image, "echo", "lost", options=("--log-driver", "none", *LONE))
    assert both("wait", name) == "0"
    refused = completed(both, "logs", name)
    assert refused.returncode == 1
    assert "does not support reading" in refused.stderr
    attributes = both.inspect(name)
    assert (attributes["HostConfig"]["LogConfig"]["Type"], attributes["LogPath"]) == ("none", "")
    if Path(attributes["ResolvConfPath"]).parent.is_dir():
        kept = [path for path in Path(attributes["ResolvConfPath"]).parent.rglob("*log*") if path.is_file()]
        assert kept == []
    both("rm", name)


def test_a_part_of_a_volume_is_mounted_and_no_link_in_it_leads_out(both: Docker):
    image = both.image("parts", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    volume = both.name("parts")
    both("volume", "create", "--label", f"pyd.test={both.prefix}", volume)
    script = "mkdir -p /v/a/b; echo deep > /v/a/b/file; ln -s /etc /v/out; ln -s ../.. /v/a/up"
    both(*RUN, "-v", f"{volume}:/v", image, "sh", "-c", script)
    part = f"type=volume,src={volume},dst=/p,volume-subpath="
    assert both(*RUN, "--mount", f"{part}a/b", image, "ls", "/p") == "file"
    assert both(*RUN, "--mount", f"{part}a/b/file", image, "cat", "/p") == "deep"
    both(*RUN, "--mount", f"{part}a/b", image, "sh", "-c", "echo more > /p/more")
    assert both(*RUN, "-v", f"{volume}:/v", image, "cat", "/v/a/b/more") == "more"
    for name in ("nosuch", "out"):
        refused = completed(both, *RUN, "--mount", f"{part}{name}", image, "ls", "/p")
        assert refused.returncode in {125, 127}, refused  # the client's own reading of what went wrong
    assert "within the volume" in completed(both, *RUN, "--mount", f"{part}../x", image, "true").stderr


def test_an_empty_part_of_a_volume_gets_what_the_image_has_there(both: Docker):
    """Version 0.1 left parts empty."""
    image = both.image("filled-part", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    volume = both.name("filled-part")
    both("volume", "create", "--label", f"pyd.test={both.prefix}", volume)
    both(*RUN, "-v", f"{volume}:/v", image, "sh", "-c", "mkdir /v/empty /v/full; echo kept > /v/full/file")
    part = f"type=volume,src={volume},dst=/bin,volume-subpath="
    assert both(*RUN, "--mount", f"{part}empty", image, "ls", "/bin/busybox") == "/bin/busybox"
    assert both(*RUN, "-v", f"{volume}:/v", image, "ls", "/v/full") == "file"
    assert completed(both, *RUN, "--mount", f"{part}full", image, "ls").returncode == 127  # it hides the programs


def test_a_start_without_the_part_of_a_volume_leaves_nothing(pydd: Pydd, docker: Docker, busybox: str):
    volume = docker.name("partly")
    name = docker.create(
        "partly", busybox, "true", options=("--mount", f"type=volume,src={volume},dst=/p,volume-subpath=x", *LONE)
    )
    assert completed(docker, "start", name).returncode == 1  # there is no such part
    parts = pydd.config.run / "parts"
    assert not parts.exists() or list(parts.iterdir()) == []
    docker("rm", name)
    docker("volume", "rm", volume)


def test_mounts_that_a_killed_engine_left_are_removed_and_their_contents_stay(tmp_path: Path):
    (tmp_path / "kept").write_text("of a volume")
    with Pydd.started() as engine:
        part = engine.config.run / "parts/0123456789ab-0"
        part.mkdir(parents=True)
        subprocess.run(["mount", "--bind", str(tmp_path), str(part)], check=True)
        engine.kill()
        engine.start()
        assert not part.exists()
        assert (tmp_path / "kept").read_text() == "of a volume"


def test_mounts_propagate_both_ways_on_request(both: Docker, shared: Path):
    image = both.image("passing", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    script = "mount -t tmpfs made /s/later && touch /s/later/inside"
    both(*RUN, "--privileged", "-v", f"{shared}:/s:rshared", image, "sh", "-c", script)
    assert [path.name for path in (shared / "later").iterdir()] == ["inside"]
    subprocess.run(["umount", str(shared / "later")], check=True)
    slave = both.run("slave", image, "sleep", "1000", options=("-v", f"{shared}:/s:rslave", *LONE))
    private = both.run("private", image, "sleep", "1000", options=("-v", f"{shared}:/s", *LONE))
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(shared / "later")], check=True)
    (shared / "later/outside").touch()
    assert both("exec", slave, "ls", "/s/later") == "outside"
    assert both("exec", private, "ls", "/s/later") == ""
    both("rm", "-f", slave, private)


def test_a_mount_that_passes_nothing_on_is_no_source_for_that(both: Docker, shared: Path):
    image = both.image("passing", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    subprocess.run(["mount", "--make-private", str(shared)], check=True)
    for mode in ("rshared", "rslave"):
        refused = completed(both, *RUN, "-v", f"{shared}:/s:{mode}", image, "true")
        assert refused.returncode == 125
        assert f"path {shared} is mounted on {shared} but it is not" in refused.stderr


def test_a_read_only_bind_is_read_only_with_all_below(both: Docker, shared: Path):
    image = both.image("passing", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    for path in ("/s/x", "/s/below/x"):
        refused = completed(both, *RUN, "-v", f"{shared}:/s:ro", image, "touch", path)
        assert "Read-only file system" in refused.stderr, path
    writable = f"type=bind,src={shared},dst=/s,ro,bind-recursive=writable"
    both(*RUN, "--mount", writable, image, "touch", "/s/below/x")
    assert (shared / "below/x").exists()
    alone = f"type=bind,src={shared},dst=/s,bind-recursive=disabled"
    assert both(*RUN, "--mount", alone, image, "ls", "/s/below") == ""


def test_namespaces_are_whose_they_are_said_to_be(both: Docker):
    image = both.image("spaces", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    shared = both.run("shared", image, "sleep", "1000", options=("--ipc", "host", *LONE))
    own = both.run("own", image, "sleep", "1000", options=LONE)
    assert both("exec", shared, "readlink", "/proc/self/ns/ipc") != both("exec", own, "readlink", "/proc/self/ns/ipc")
    both("rm", "-f", shared, own)
    assert completed(both, *RUN, "--ipc", "none", image, "df", "/dev/shm").returncode == 1
    named = ("--hostname", "box", "--domainname", "made.example")
    assert both(*RUN, *named, image, "cat", "/proc/sys/kernel/domainname") == "made.example"
    assert completed(both, *RUN, "--ipc", "foo", image, "true").returncode == 125


def test_options_of_a_volume_are_those_of_a_mount(both: Docker, tmp_path: Path):
    image = both.image("volumes", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))

    def create_volume(short: str, **options: str) -> str:
        name = both.name(short)
        driver_options = [part for key, value in options.items() for part in ("--opt", f"{key}={value}")]
        return both("volume", "create", "--label", f"pyd.test={both.prefix}", *driver_options, name)

    memory = create_volume("memory", type="tmpfs", device="tmpfs", o="size=1m,uid=7,nosuid,noexec,rw")
    listed = both(*RUN, "-v", f"{memory}:/v", image, "grep", " /v ", "/proc/mounts")
    assert {"tmpfs", "nosuid", "noexec", "size=1024k", "uid=7"} <= set(listed.replace(",", " ").split())
    (tmp_path / "there").touch()
    bound = create_volume("bound", type="none", device=str(tmp_path), o="bind,ro")
    assert both(*RUN, "-v", f"{bound}:/v", image, "ls", "/v") == "there"
    assert "Read-only" in completed(both, *RUN, "-v", f"{bound}:/v", image, "touch", "/v/more").stderr
    nowhere = create_volume("nowhere", type="none", device=str(tmp_path / "nosuch"), o="bind")
    refused = completed(both, *RUN, "-v", f"{nowhere}:/v", image, "true")
    assert refused.returncode != 0
    assert "failed to mount local volume" in refused.stderr
    assert str(tmp_path / "nosuch") in refused.stderr
    both("volume", "rm", memory, bound, nowhere)
    assert (tmp_path / "there").exists()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Docker, Path]]:
    """An engine with a runtime of another name, and the file in which that one says what it was called for."""
    home = tmp_path_factory.mktemp("runtime")
    program, calls, settings = home / "other", home / "calls", home / "settings.json"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec runc "$@"\n')
    program.chmod(0o755)
    settings.write_text(json.dumps({"runtimes": {"other": {"path": str(program), "runtimeArgs": ["--debug"]}}}))
    with Pydd.started() as engine:
        engine.stop()
        engine.start("--settings", str(settings))
        with Docker(host=engine.host) as corner:
            yield corner, calls


def test_a_container_has_the_runtime_it_names_all_its_life(other: tuple[Docker, Path]):
    docker, calls = other
    image = docker.image("runtimes", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    assert docker(*RUN, image, "echo", "usual") == "usual"
    assert not calls.exists()
    name = docker.run("other", image, "sleep", "1000", options=("--runtime", "other", *LONE))
    assert docker("exec", name, "echo", "inside") == "inside"
    docker("pause", name)
    docker("unpause", name)
    docker("rm", "-f", name)
    lines = calls.read_text().splitlines()
    assert all(line.startswith("--debug --root ") for line in lines)
    for verb in ("create", "start", "exec", "pause", "resume", "delete"):
        assert any(f" {verb} " in line for line in lines), verb
    refused = completed(docker, *RUN, "--runtime", "nosuch", image, "true")
    assert (refused.returncode, "unknown or invalid runtime name: nosuch" in refused.stderr) == (125, True)
    assert "other" in json.loads(docker("info", "-f", "{{json .Runtimes}}"))
