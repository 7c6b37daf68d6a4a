"""Mounts that prevent a start: missing sources, working directories within read-only mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.daemon.containers.mounts import check
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.errors import EngineError


def bind(source: Path, target: str, *, read_only: bool = False) -> MountRecord:
    return MountRecord(kind="bind", source=str(source), target=target, read_only=read_only)


def test_a_source_that_has_gone_is_named_with_its_target(tmp_path: Path):
    with pytest.raises(EngineError, match=f'error mounting "{tmp_path}/gone" to rootfs at "/data": no such file'):
        check([bind(tmp_path, "/there"), bind(tmp_path / "gone", "/data")], "/")


def test_a_working_directory_is_not_made_where_a_mount_is_read_only(tmp_path: Path):
    (tmp_path / "outer").mkdir()
    (tmp_path / "inner/made").mkdir(parents=True)
    mounts = [bind(tmp_path / "outer", "/a", read_only=True), bind(tmp_path / "inner", "/a/b", read_only=True)]
    with pytest.raises(EngineError, match="mkdir /a/c/d: read-only file system"):
        check(mounts, "/a/c/d")
    with pytest.raises(EngineError, match="mkdir /a/b/c: read-only file system"):
        check(mounts, "/a/b/c")
    check(mounts, "/a/b/made")
    check(mounts, "/a")
    check(mounts, "/ab/c")
    check([*mounts, bind(tmp_path, "/a/b/made")], "/a/b/made/new")


def test_a_link_on_the_way_to_the_working_directory_is_left_to_the_runtime(tmp_path: Path):
    (tmp_path / "link").symlink_to("/only/in/the/container")
    check([bind(tmp_path, "/a", read_only=True)], "/a/link/below")
