"""Builds that are cancelled, fail or hold secrets: nothing runs on, and no secret stays."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from builds.conftest import Builders
from support.docker import environment
from support.pydd import Pydd

SECRET = b"swordfish-7f3a9c"


def _build(host: str, directory: Path, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "build", "--progress=plain", *options, "."],
        cwd=directory,
        env=environment(DOCKER_HOST=host),
        capture_output=True,
        text=True,
        check=check,
    )


def test_a_secret_is_found_nowhere_after_its_step(pydd: Pydd, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / ".dockerignore").write_text("secret\n")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base}\n"
        "RUN --mount=type=secret,id=s test -s /run/secrets/s && wc -c < /run/secrets/s > /length\n"
        "RUN --mount=type=secret,id=s,target=/key,mode=400,uid=1000 stat -c '%a %u' /key > /mode\n"
    )
    tag = builders.pydd.name("secret")
    _build(pydd.host, tmp_path, "--secret", "id=s,src=secret", "-t", tag)
    image = builders.pydd("run", "--rm", tag, "cat", "/length", "/mode")
    assert image.split() == [str(len(SECRET)), "400", "1000"]
    for root in (pydd.config.root, pydd.config.run):
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.parent.name != "netns":
                assert SECRET not in path.read_bytes(), path
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                assert SECRET not in (process / "environ").read_bytes()
            except OSError:
                continue


def test_a_missing_secret_is_named(pydd: Pydd, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base}\nRUN --mount=type=secret,id=absent,required=true cat /run/secrets/absent\n"
    )
    done = _build(pydd.host, tmp_path, check=False)
    assert done.returncode == 1
    assert "secret absent: not found" in done.stderr


def test_a_cancelled_build_leaves_nothing_running(pydd: Pydd, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN echo begun; sleep 1234\n")
    client = subprocess.Popen(
        ["docker", "build", "--progress=plain", "."],
        cwd=tmp_path,
        env=environment(DOCKER_HOST=pydd.host),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert client.stderr is not None
    for line in client.stderr:
        if line.rstrip().endswith(" begun"):
            break
    client.send_signal(signal.SIGINT)
    client.wait()
    client.stderr.close()
    _build(pydd.host, _plain(tmp_path, builders.base))  # the engine has noticed by the time it has built something else
    assert not _sleepers()
    assert list((pydd.config.root / "builder" / "work").iterdir()) == []
    assert list((pydd.config.run / "build").iterdir()) == []


def _plain(directory: Path, base: str) -> Path:
    other = directory / "other"
    other.mkdir()
    (other / "Dockerfile").write_text(f"FROM {base}\nRUN echo {directory.name}\n")
    return other


def _sleepers() -> list[str]:
    return subprocess.run(["pgrep", "-f", "^sleep 1234"], capture_output=True, text=True, check=False).stdout.split()


def test_a_failed_step_reports_its_command_and_exit_code(pydd: Pydd, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nRUN echo partial > /p; exit 7\n")
    done = _build(pydd.host, tmp_path, check=False)
    assert done.returncode == 1
    assert 'process "/bin/sh -c echo partial > /p; exit 7" did not complete successfully: exit code: 7' in done.stderr


def test_two_builds_at_once_share_a_step(pydd: Pydd, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {builders.base}\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /id\nARG OWN\nRUN echo $OWN > /own\n"
    )
    tags = [builders.pydd.name(f"shared{number}") for number in range(2)]
    clients = [
        subprocess.Popen(
            ["docker", "build", "-q", "--build-arg", f"OWN={tag}", "-t", tag, "."],
            cwd=tmp_path,
            env=environment(DOCKER_HOST=pydd.host),
            stdout=subprocess.DEVNULL,
        )
        for tag in tags
    ]
    assert [client.wait() for client in clients] == [0, 0]
    ids = {builders.pydd("run", "--rm", tag, "cat", "/id") for tag in tags}
    assert len(ids) == 1


def test_a_touched_file_changes_nothing_and_a_changed_one_only_what_depends_on_it(
    pydd: Pydd, builders: Builders, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nCOPY a /a\nRUN cat /a\nCOPY b /b\nRUN cat /b\n")
    _build(pydd.host, tmp_path)
    os.utime(tmp_path / "a", (1, 1))
    assert _build(pydd.host, tmp_path).stderr.count("CACHED") == 4
    (tmp_path / "b").write_text("changed")
    assert _build(pydd.host, tmp_path).stderr.count("CACHED") == 2


def test_the_same_digest_comes_out_twice_with_a_source_date(pydd: Pydd, builders: Builders, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "Dockerfile").write_text(f"FROM {builders.base}\nCOPY a /new/\nRUN echo x > /x\n")
    options = (
        "--no-cache",
        "--build-arg",
        "SOURCE_DATE_EPOCH=1700000000",
        "-o",
        "type=image,name=TAG,rewrite-timestamp=true",
    )
    ids = []
    for number in range(2):
        tag = builders.pydd.name(f"epoch{number}")
        _build(pydd.host, tmp_path, *(option.replace("TAG", tag) for option in options))
        ids.append(builders.pydd("inspect", "-f", "{{.Id}} {{.Created}}", tag))
    assert ids[0] == ids[1]
    assert ids[0].endswith("2023-11-14T22:13:20Z")
