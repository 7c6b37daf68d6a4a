"""Zeros that take no room."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.debug.toolbox.sparse import BLOCK, dig

ONES, ZEROS = b"\1" * BLOCK, bytes(BLOCK)
GAP = 64 * ZEROS
"""Whole pages of 64 KiB: no file system gives a hole less room than that."""


@pytest.mark.parametrize(
    "content",
    [ONES + GAP + ONES, GAP + ONES + b"end", ONES + GAP, ONES + GAP + b"\0\0", GAP, ONES + GAP + b"\0\1"],
    ids=["between", "before", "after", "after, and not a whole block", "alone", "in the last block too"],
)
def test_zeros_become_a_hole_and_are_read_as_before(tmp_path: Path, content: bytes):
    file, other = tmp_path / "below" / "program", tmp_path / "other"
    file.parent.mkdir()
    file.write_bytes(content)
    file.chmod(0o755)
    other.hardlink_to(file)
    before = file.stat()
    dig(tmp_path)
    after = file.stat()
    assert file.read_bytes() == content
    assert (after.st_ino, after.st_mode, after.st_nlink) == (before.st_ino, 0o100755, 2)
    assert (before.st_blocks - after.st_blocks) * 512 >= len(GAP)


def test_files_without_zeros_and_links_that_lead_out_are_let_be(tmp_path: Path):
    (tmp_path / "outside").write_bytes(ONES + GAP)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to("../outside")
    (tree / "full").write_bytes(3 * ONES)
    (tree / "empty").touch()
    files = (tmp_path / "outside", tree / "full", tree / "empty")
    before = [(file.stat().st_blocks, file.stat().st_mtime_ns) for file in files]
    dig(tree)
    assert [(file.stat().st_blocks, file.stat().st_mtime_ns) for file in files] == before
