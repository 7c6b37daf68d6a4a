"""Archives of a node's containers, whose files may be anything and may change."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest

from pyd_core.cri import node_files
from pyd_core.linux.tree import TreeCursor


def archive(directory: Path, name: str = "") -> dict[str, tarfile.TarInfo]:
    out = io.BytesIO()
    top = os.open(directory, os.O_RDONLY)
    try:
        node_files._write(out, top, name)
    finally:
        os.close(top)
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        return {member.name: member for member in tar}


def test_an_archive_has_what_is_there_and_no_socket(tmp_path: Path):
    (tmp_path / "etc/empty").mkdir(parents=True)
    (tmp_path / "etc/file").write_bytes(b"text")
    (tmp_path / "etc/link").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "etc/pipe")  # opening it would wait
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "etc/socket"))
    members = archive(tmp_path, "etc")
    assert set(members) == {"etc", "etc/empty", "etc/file", "etc/link", "etc/pipe"}
    assert members["etc/file"].size == 4
    assert members["etc/link"].linkname == "/dev/null"
    assert members["etc/pipe"].isfifo()
    assert set(archive(tmp_path)) == {".", *members}
    assert set(archive(tmp_path / "etc", "link")) == {"link"}


def test_a_tree_of_any_depth_is_read(tmp_path: Path):
    depth = 1500
    top = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=top)
        inside = os.open("d", os.O_RDONLY, dir_fd=top)
        os.close(top)
        top = inside
    os.close(top)
    try:
        assert len(archive(tmp_path)) == depth + 1
    finally:  # pytest removes its directories by recursion, which fails in a later run
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


@pytest.mark.parametrize("replacement", ["link", "pipe"])
def test_a_directory_that_is_replaced_before_it_is_entered_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replacement: str
):
    """`os.fwalk` followed the link to a path of the host, and waited for a writer of the pipe."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").touch()
    inside = tmp_path / "inside/changing"
    inside.mkdir(parents=True)
    enter = TreeCursor.enter

    def replaced(cursor: TreeCursor, name: str) -> None:
        inside.rmdir()
        if replacement == "link":
            inside.symlink_to(outside)
        else:
            os.mkfifo(inside)
        enter(cursor, name)

    monkeypatch.setattr(TreeCursor, "enter", replaced)
    assert set(archive(tmp_path, "inside")) == {"inside", "inside/changing"}
