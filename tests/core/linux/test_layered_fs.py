from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyd_core.linux.layered_fs import MergedTree


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    for layer in (upper, lower):
        (layer / "bin").mkdir(parents=True)
    (lower / "bin/sh").write_text("lower sh")
    (lower / "bin/ls").write_text("lower ls")
    (upper / "bin/ls").write_text("upper ls")
    return upper, lower


def test_the_uppermost_file_counts_and_directories_are_merged(layers: tuple[Path, Path]) -> None:
    tree = MergedTree(layers)
    assert tree.read("/bin/ls", 100) == b"upper ls"
    assert tree.read("/bin/sh", 100) == b"lower sh"
    assert tree.read("/bin/sh", 2, offset=6) == b"sh"
    assert tree.lookup("/bin/none") is None
    assert tree.lookup("/bin/ls/deeper") is None
    directory = tree.lookup("/bin")
    assert directory is not None
    assert directory.kind == "directory"


def test_symlinks_stay_inside_the_tree(layers: tuple[Path, Path], tmp_path: Path) -> None:
    upper, lower = layers
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    (upper / "absolute").symlink_to("/bin/sh")
    (upper / "escape").symlink_to("../../../../../.." + str(secret))
    (lower / "bin/relative").symlink_to("../bin/./sh")
    (upper / "usr").symlink_to("bin")
    (upper / "host").symlink_to(str(secret))
    tree = MergedTree(layers)
    assert tree.read("/absolute", 100) == b"lower sh"
    assert tree.read("/bin/relative", 100) == b"lower sh"
    assert tree.read("/usr/ls", 100) == b"upper ls"
    assert tree.lookup("/escape") is None
    assert tree.lookup("/host") is None


def test_links_in_a_circle_end(layers: tuple[Path, Path]) -> None:
    (layers[0] / "a").symlink_to("b")
    (layers[0] / "b").symlink_to("a")
    assert MergedTree(layers).lookup("/a") is None


def test_an_opaque_directory_hides_what_lies_below(layers: tuple[Path, Path]) -> None:
    try:
        os.setxattr(layers[0] / "bin", "user.overlay.opaque", b"y")
    except OSError:
        pytest.skip("missing: a file system with user attributes")
    tree = MergedTree(layers)
    assert tree.lookup("/bin/sh") is None
    assert tree.read("/bin/ls", 100) == b"upper ls"


def test_a_file_above_a_directory_hides_it(layers: tuple[Path, Path]) -> None:
    (layers[1] / "opt/tool").mkdir(parents=True)
    (layers[0] / "opt").write_text("a file now")
    tree = MergedTree(layers)
    assert tree.lookup("/opt/tool") is None
    assert tree.read("/opt", 100) == b"a file now"


def test_mounts_take_the_place_of_what_lies_there(layers: tuple[Path, Path], tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "tool").write_text("mounted")
    single = tmp_path / "single"
    single.write_text("one file")
    tree = MergedTree(layers, {"/bin": volume, "/etc/conf": single})
    assert tree.read("/bin/tool", 100) == b"mounted"
    assert tree.lookup("/bin/sh") is None
    (layers[1] / "etc").mkdir()
    assert tree.read("/etc/conf", 100) == b"one file"


def test_pipes_and_devices_are_named_and_not_opened(layers: tuple[Path, Path]) -> None:
    os.mkfifo(layers[0] / "pipe")
    tree = MergedTree(layers)
    node = tree.lookup("/pipe")
    assert node is not None
    assert node.kind == "other"
    assert tree.read("/pipe", 10) == b""


def test_going_above_the_root_stays_at_the_root(layers: tuple[Path, Path]) -> None:
    assert MergedTree(layers).read("/../../bin/../bin/sh", 100) == b"lower sh"


def test_no_descriptor_is_left_open(layers: tuple[Path, Path]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    tree = MergedTree(layers)
    for path in ("/bin/sh", "/bin/none", "/", "/bin/../bin/ls"):
        tree.lookup(path)
        tree.read(path, 10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
