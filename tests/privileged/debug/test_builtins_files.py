"""Builtins that copy and edit files, and containers that would have them go elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.debugging import Builtins, Run, main_pid
from support.docker import LONE, Docker
from support.staging import wait_until


@pytest.fixture(scope="module")
def store(debug: Run, docker: Docker, busybox: str) -> Builtins:
    """A container with files, and links that lead out of its root wherever they are followed on the host."""
    script = """
    mkdir -p /srv/site/sub; echo one > /srv/site/index; echo two > /srv/site/sub/page; chmod 640 /srv/site/index
    echo own > /etc/passwd-like; ln -s /etc/shadow /srv/out; ln -s ../../../../../../etc /srv/etc
    ln -s /proc/1/root/etc/shadow /srv/magic; mkfifo /srv/pipe; ln -s site/index /srv/inside; ln -s loop /srv/loop
    ln -s /etc /srv/site/away
    exec sleep 1000
    """
    name = docker.run("store", busybox, "sh", "-c", script, options=(*LONE, "-w", "/srv"))
    wait_until(lambda: "sleep" in docker("top", name))
    return Builtins(debug, name)


def _root(docker: Docker, store: Builtins) -> Path:
    return Path(f"/proc/{main_pid(docker, store.name)}/root")


def test_a_file_comes_and_goes_whole_and_keeps_its_owner_and_mode(store: Builtins, docker: Docker, tmp_path: Path):
    assert store("get site/index", cwd=tmp_path).returncode == 0
    assert (tmp_path / "index").read_text() == "one\n"
    assert "[file-exists]" in store("get site/index", cwd=tmp_path).stderr
    os.chown(_root(docker, store) / "srv/site/index", 12, 34)
    (tmp_path / "new").write_bytes(b"\0\xffnew")
    assert store(f"put {tmp_path}/new /srv/inside").returncode == 0  # a link within is followed
    there = _root(docker, store) / "srv/site/index"
    assert there.read_bytes() == b"\0\xffnew"
    assert (there.stat().st_uid, there.stat().st_gid, there.stat().st_mode & 0o777) == (12, 34, 0o640)
    assert (_root(docker, store) / "srv/inside").readlink() == Path("site/index")
    assert store(f"put {tmp_path}/new . --mode 0755").returncode == 0
    assert (_root(docker, store) / "srv/new").stat().st_mode & 0o777 == 0o755
    assert not list((_root(docker, store) / "srv").glob(".pyd-*"))


def test_a_folder_comes_and_goes_with_all_in_it(store: Builtins, docker: Docker, tmp_path: Path):
    assert store(f"get /srv/site {tmp_path}/copy").returncode == 0
    assert (tmp_path / "copy/sub/page").read_text() == "two\n"
    assert not (tmp_path / "copy/away").exists()  # it led out of the folder
    directory = tmp_path / "folder"
    (directory / "deep").mkdir(parents=True)
    (directory / "deep/file").write_text("sent")
    assert store(f"put {directory} /srv").returncode == 0
    assert (_root(docker, store) / "srv/folder/deep/file").read_text() == "sent"
    assert store(f"put {directory} /srv/site/index").returncode == 1


def test_no_link_or_pipe_of_the_container_reaches_the_host(store: Builtins, docker: Docker, tmp_path: Path):
    secret = Path("/etc/shadow").read_bytes()
    paths = ("/srv/out", "/srv/etc/shadow", "/srv/magic", "/srv/pipe", "/srv/loop")
    for path in paths:
        assert store(f"get {path} {tmp_path}/got").returncode != 0, path
        assert not (tmp_path / "got").exists()
    (tmp_path / "evil").write_text("evil")
    for path in paths:
        store(f"put {tmp_path}/evil {path}")
    assert Path("/etc/shadow").read_bytes() == secret
    assert (_root(docker, store) / "etc/shadow").read_text() == "evil"  # inside, the links mean its own file


def test_edit_writes_back_what_the_clients_editor_leaves(store: Builtins, docker: Docker, tmp_path: Path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/two/three/ "$1"\n')
    editor.chmod(0o755)
    environment = {**os.environ, "EDITOR": str(editor), "VISUAL": ""}
    done = store("edit site/sub/page", env=environment)
    assert done.returncode == 0
    assert (_root(docker, store) / "srv/site/sub/page").read_text() == "three\n"
    assert "not changed" in store("edit site/sub/page", env=environment).stderr
    racing = tmp_path / "racing"
    racing.write_text(
        f'#!/bin/sh\necho mine > "$1"; docker exec {store.name} sh -c "echo theirs > /srv/site/sub/page"\n'
    )
    racing.chmod(0o755)
    done = store("edit site/sub/page", env={**environment, "EDITOR": str(racing)})
    assert "[changed-meanwhile]" in done.stderr
    assert (_root(docker, store) / "srv/site/sub/page").read_text() == "theirs\n"


def test_what_is_mounted_on_a_file_is_written_in_place_and_a_read_only_root_refuses(
    store: Builtins, debug: Run, docker: Docker, distroless: str, tmp_path: Path
):
    (tmp_path / "hosts").write_text("127.0.0.1 planted\n")
    assert store(f"put {tmp_path}/hosts /etc/hosts").returncode == 0
    assert store.json("dns planted")[0]["source"] == "/etc/hosts"
    closed = Builtins(debug, docker.run("closed", distroless, options=(*LONE, "--read-only")))
    refused = closed(f"put {tmp_path}/hosts /app")
    assert refused.returncode != 0
    assert "[read-only-file-system]" in refused.stderr
