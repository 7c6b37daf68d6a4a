"""File operations with hostile file systems: nothing outside is read, changed or made."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver.file_actions import FileOperations
from pyd_core.errors import InvalidInput
from pyd_core.linux.openat2 import RootDirectory


@pytest.fixture
def roots(tmp_path: Path) -> Iterator[tuple[Path, Path, Path]]:
    """Return a source, a target, and a directory outside of both with a secret."""
    source, target, outside = (tmp_path / name for name in ("source", "target", "outside"))
    for directory in (source, target, outside):
        directory.mkdir()
    (outside / "secret").write_text("secret")
    (source / "file").write_text("file")
    yield source, target, outside
    assert (outside / "secret").read_text() == "secret"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def _apply(source: Path, target: Path, action: ops_pb2.FileAction) -> None:
    with RootDirectory(source) as source_root, RootDirectory(target) as target_root:
        FileOperations(target_root).apply(action, source_root, None)


def _copy(path: str, destination: str, **options: object) -> ops_pb2.FileAction:
    fields: dict[str, object] = {"mode": -1, "timestamp": -1, "createDestPath": True, "followSymlink": True, **options}
    return ops_pb2.FileAction(copy=ops_pb2.FileActionCopy(src=path, dest=destination, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/link", "/../outside/secret", "/dirlink/secret", "../../outside/secret"])
def test_a_source_never_leads_out(roots: tuple[Path, Path, Path], path: str) -> None:
    source, target, outside = roots
    (source / "link").symlink_to(outside / "secret")
    (source / "dirlink").symlink_to(outside)
    with pytest.raises(InvalidInput):
        _apply(source, target, _copy(path, "/copied"))
    assert not (target / "copied").exists()


@pytest.mark.parametrize("destination", ["/out/copied", "/out/", "/../outside/copied", "/final"])
def test_a_destination_never_leads_out(roots: tuple[Path, Path, Path], destination: str) -> None:
    source, target, outside = roots
    (target / "out").symlink_to(outside)
    (target / "final").symlink_to(outside / "made")
    _apply(source, target, _copy("/file", destination))
    inside = [path for path in target.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path.read_text() for path in inside] == ["file"]


def test_a_device_in_the_target_is_never_opened(roots: tuple[Path, Path, Path]) -> None:
    source, target, _ = roots
    os.mknod(target / "device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    action = ops_pb2.FileAction(mkfile=ops_pb2.FileActionMkFile(path="/device", data=b"x", mode=0o644, timestamp=-1))
    with pytest.raises(InvalidInput, match="no regular file"):
        _apply(source, target, action)
    os.mkfifo(target / "pipe")
    action.mkfile.path = "/pipe"
    with pytest.raises(InvalidInput, match="no regular file"):
        _apply(source, target, action)


def test_pipes_and_devices_of_a_source_are_copied_as_such(roots: tuple[Path, Path, Path]) -> None:
    source, target, _ = roots
    os.mkfifo(source / "pipe")
    os.mknod(source / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    _apply(source, target, _copy("/", "/all", dirCopyContents=True))
    assert stat.S_ISFIFO((target / "all/pipe").stat().st_mode)
    assert (target / "all/null").stat().st_rdev == os.makedev(1, 3)


def test_a_removal_does_not_follow_links(roots: tuple[Path, Path, Path]) -> None:
    source, target, outside = roots
    (target / "out").symlink_to(outside)
    remove = ops_pb2.FileActionRm(path="/out/*", allowWildcard=True, allowNotFound=True)
    _apply(source, target, ops_pb2.FileAction(rm=remove))
    _apply(source, target, ops_pb2.FileAction(rm=ops_pb2.FileActionRm(path="/out")))
    assert not (target / "out").is_symlink()
