"""The toolbox as it is made, and what a full disk does to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.debug.toolbox import PREFIX, manage, store
from pyd_core.debug.toolbox.refresh import refresh_sessions
from pyd_core.debug.toolbox.selection import Selection, load_selection
from pyd_core.errors import NotFound, ToolboxError
from pyd_core.linux.elf import read_elf
from pyd_debugimages.packs import BASE, Pack
from support.debugging import Run, command


def test_every_program_finds_its_loader_and_libraries_in_the_toolbox(toolbox: Path):
    libraries = {path.name for path in toolbox.glob("lib*/**/*.so*")} | {
        p.name for p in toolbox.glob("libexec/**/*.so*")
    }
    paths = (path for directory in ("bin", "sbin") for path in (toolbox / directory).iterdir())
    programs = [path for path in paths if not path.is_symlink()]
    seen = 0
    for path in programs:
        elf = read_elf(path)
        if elf is None or not elf.is_dynamic:
            continue
        seen += 1
        assert elf.interpreter.startswith(PREFIX) or not elf.interpreter, path
        assert (toolbox / elf.interpreter.removeprefix(f"{PREFIX}/")).exists(), path
        assert set(elf.needed) <= libraries, path
    assert seen > 200


def test_it_is_small_and_no_link_leads_out_of_it(toolbox: Path):
    files = {path.lstat().st_ino: path.lstat().st_blocks * 512 for path in toolbox.rglob("*")}
    assert sum(files.values()) < 150_000_000
    for path in toolbox.rglob("*"):
        if path.is_symlink():
            assert not str(path.readlink()).startswith("/"), path
            assert path.parent.joinpath(path.readlink()).resolve().is_relative_to(toolbox.resolve()), path
        else:
            assert not path.stat().st_mode & 0o6022, path


@pytest.mark.parametrize(
    "line",
    [
        "vim --version",
        "nano --version",
        "htop --version",
        "jq -n 1",
        "rg --version",
        "openssl version",
        "strace -V",
        "lsof -v",
        "less --version",
        "ip -V",
        "awk 'BEGIN { print 1 }'",
        "file -b /app",
        "zgrep --version",
        "@curl --version",
        "tar --version",
        "xz --version",
        "zstd --version",
        "ping -V",
        "lsns",
        "capsh --print",
        "sh -c 'echo in sh'",
        "iconv -f latin1 -t utf-8 /etc/hostname",
        "find / -maxdepth 1",
    ],
)
def test_tools_run_in_a_container_that_has_nothing(debug: Run, locked: str, line: str):
    done = debug(locked, "-c", line)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr


@pytest.fixture
def megabytes() -> int:
    return 2


@pytest.fixture
def small_disk(tmp_path: Path, megabytes: int) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_leaves_no_half_toolbox_and_says_what_is_missing(small_disk: Path):
    with pytest.raises(ToolboxError) as caught:
        store.build(BASE, small_disk / "store", lambda *_: None)
    assert caught.value.reference == "toolbox-no-space"
    assert "MB are free" in caught.value.message
    assert store.find(BASE, str(small_disk / "store")) is None
    assert [path.name for path in (small_disk / "store").iterdir() if not path.name.startswith(".")] == []


@pytest.mark.parametrize("megabytes", [500])
def test_a_disk_that_fills_while_a_toolbox_is_made_leaves_the_store_whole(small_disk: Path):
    pack = Pack(name="small", revision=1, summary="", packages=("procps",))
    root, filler = small_disk / "store", small_disk / "filler"
    whole = store.build(pack, root, lambda *_: None)
    other = Pack(name="other", revision=1, summary="", packages=("procps", "hostname"))

    def fill(stage: str, _done: int, _total: int) -> None:
        if stage == "unpacking" and not filler.exists():
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(1 << 16)):
                    pass

    with pytest.raises(ToolboxError) as caught:
        store.build(other, root, fill)
    assert caught.value.reference == "toolbox-no-space"
    assert re.search(r"about \d+ MB are needed, 0 MB are free", caught.value.message)
    assert store.find(pack, str(root)) == str(whole)
    assert store.find(other, str(root)) is None
    assert [
        path.name for path in root.iterdir() if path.is_dir() and not path.is_symlink() and path.name != ".apt"
    ] == [whole.name]
    filler.unlink()
    assert store.build(other, root, lambda *_: None).is_dir()


def test_packages_that_the_last_toolbox_had_are_not_fetched_again_and_no_others_are_kept(tmp_path: Path):
    def fetched() -> dict[str, int]:
        """Return the creation times of archives by package: apt sets the server's times as the other ones."""
        archives = (tmp_path / ".apt/cache/archives").glob("*.deb")
        return {path.name.partition("_")[0]: path.stat().st_ctime_ns for path in archives}

    def make(*packages: str) -> dict[str, int]:
        store.build(Pack(name="-".join(packages), revision=1, summary="", packages=packages), tmp_path, lambda *_: None)
        return fetched()

    first = make("procps")
    second = make("procps", "tree")
    assert second.keys() == {*first, "tree"}
    assert {name: second[name] for name in first} == first
    assert make("procps", "hostname").keys() == {*first, "hostname"}


def test_a_replaced_toolbox_goes_once_no_session_holds_it(tmp_path: Path):
    for name in ("held", "idle", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / f"base-0.1-{os.uname().machine}").symlink_to("idle")
    (tmp_path / store.pointer(BASE)).symlink_to("new")
    with_session = os.open(tmp_path / "held", os.O_RDONLY)
    fcntl.flock(with_session, fcntl.LOCK_SH)
    store._drop_old(BASE, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["held", "new", store.pointer(BASE)])
    os.close(with_session)
    store._drop_old(BASE, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["new", store.pointer(BASE)])


def test_two_builders_make_one_toolbox_and_leftovers_of_a_killed_one_go(tmp_path: Path, toolbox: Path):
    root = tmp_path / "store"
    (root / ".building-dead").mkdir(parents=True)
    stages: list[tuple[str, int, int]] = []

    def finish_while_we_wait(stage: str, done: int, total: int) -> None:
        stages.append((stage, done, total))
        (root / "made").mkdir(exist_ok=True)
        pointer = root / store.pointer(BASE)
        if not pointer.is_symlink():
            pointer.symlink_to("made")
        other.close()

    other = (root / ".lock").open("w")
    fcntl.flock(other, fcntl.LOCK_EX)
    assert store.build(BASE, root, finish_while_we_wait) == root / "made"
    assert stages == [("waiting for another build", 0, 1), ("waiting for another build", 1, 1)]


def test_a_running_session_is_given_a_new_toolbox_and_nobody_else(
    debug: Run, locked: str, toolbox: Path, tmp_path: Path
):
    newer = tmp_path / "newer"
    subprocess.run(["cp", "-al", toolbox, newer], check=True)
    (newer / "bin/news").write_text(f"#!{PREFIX}/bin/sh\necho new\n")
    (newer / "bin/news").chmod(0o755)
    with subprocess.Popen(
        command(locked, "-c", "type -t news; echo ready; read line; news"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert refresh_sessions(str(newer)) == 1
        assert process.communicate("go\n", timeout=120)[0] == "new\n"
    assert debug(locked, "-c", "news").returncode == 127
    assert refresh_sessions(str(newer)) == 0


def test_an_unknown_package_changes_nothing_and_offers_what_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    with pytest.raises(NotFound) as caught:
        manage.install(["tcpdumpp"], lambda *_: None)
    assert "tcpdump" in caught.value.nearest
    assert load_selection() == Selection()
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
