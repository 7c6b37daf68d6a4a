"""Archives of what containers have: each thing as what it is, and nothing opened that would block or act."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from pyd_core.daemon.containers.population import copy_tree
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.linux.tree import remove_tree


def packed(path: Path, name: str = "") -> list[tuple[str, bytes, str]]:
    """Packs what is there and returns names, kinds and what links lead to."""
    out = io.BytesIO()
    packer = TarWriter(out)
    packer.add_tree(str(path), name)
    packer.close()
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        return [(member.name, member.type, member.linkname) for member in tar]


def test_pipes_and_links_are_archived_unopened_and_sockets_left_out(tmp_path: Path):
    """Version 0.1 opened a pipe that was asked for by its name, and called it an empty file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "hard").hardlink_to(tmp_path / "file")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert packed(tmp_path) == [
            (".", tarfile.DIRTYPE, ""),
            ("file", tarfile.REGTYPE, ""),
            ("hard", tarfile.LNKTYPE, "file"),
            ("link", tarfile.SYMTYPE, "nowhere"),
            ("pipe", tarfile.FIFOTYPE, ""),
        ]
        assert packed(tmp_path / "socket", "socket") == []
    assert packed(tmp_path / "pipe", "pipe") == [("pipe", tarfile.FIFOTYPE, "")]


def test_a_link_is_archived_by_its_descriptor(tmp_path: Path):
    (tmp_path / "link").symlink_to("nowhere")
    fd = os.open(tmp_path / "link", os.O_PATH | os.O_NOFOLLOW)
    try:
        assert packed(Path(f"/proc/self/fd/{fd}"), "name") == [("name", tarfile.SYMTYPE, "nowhere")]
    finally:
        os.close(fd)


def test_a_tree_is_copied_with_its_modes_links_and_times(tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub").mkdir(parents=True)
    target.mkdir()
    (source / "sub/file").write_text("text")
    (source / "sub/file").chmod(0o4711)
    (source / "hard").hardlink_to(source / "sub/file")
    (source / "soft").symlink_to("/etc/passwd")
    os.utime(source / "sub", (1_000_000, 1_000_000))
    source.chmod(0o750)
    fd = os.open(source, os.O_PATH)
    try:
        copy_tree(fd, target)
    finally:
        os.close(fd)
    assert (target / "sub/file").read_text() == "text"
    assert (target / "sub/file").stat().st_mode & 0o7777 == 0o4711
    assert (target / "hard").stat().st_ino == (target / "sub/file").stat().st_ino
    assert (target / "soft").readlink() == Path("/etc/passwd")
    assert (target / "sub").stat().st_mtime == 1_000_000
    assert target.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(("count", "name"), [(1100, "dd"), (30, "n" * 250)])
def test_deep_trees_are_copied(tmp_path: Path, count: int, name: str):
    """Version 0.1 recursed, and made paths that were longer than the kernel takes."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    try:
        fd = os.open(source, os.O_PATH)
        for _ in range(count):
            os.mkdir(name, dir_fd=fd)
            inside = os.open(name, os.O_PATH, dir_fd=fd)
            os.close(fd)
            fd = inside
        os.close(fd)
        fd = os.open(source, os.O_PATH)
        copy_tree(fd, target)
        os.close(fd)
        assert [member[0] for member in packed(target)] == [member[0] for member in packed(source)]
        assert len(packed(target)) == count + 1
    finally:
        remove_tree(source)
        remove_tree(target)
