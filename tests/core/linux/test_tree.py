"""Trees by descriptor: deep ones, those with long names, and those that change while they are read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import RootDirectory, open_beneath
from pyd_core.linux.tree import MAX_HELD_LEVELS, TreeCursor, remove_tree, tree_size

DEPTH = 3 * MAX_HELD_LEVELS
LONG = "n" * 250


def nest(top: Path, names: list[str]) -> None:
    """Make directories in each other, with a file in the last."""
    fd = os.open(top, os.O_PATH)
    for name in names:
        os.mkdir(name, dir_fd=fd)
        inside = os.open(name, os.O_PATH, dir_fd=fd)
        os.close(fd)
        fd = inside
    os.close(os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=fd))
    os.close(fd)


@pytest.fixture
def top(tmp_path: Path) -> Iterator[Path]:
    """A directory that pytest itself couldn't remove."""
    created = tmp_path / "top"
    created.mkdir()
    yield created
    remove_tree(created, ignore_errors=True)


def test_a_cursor_goes_down_and_up_with_few_descriptors(top: Path):
    nest(top, ["d"] * DEPTH)
    with RootDirectory(top) as root, TreeCursor(root.fd) as cursor:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(DEPTH):
            cursor.enter("d")
        assert cursor.names() == ["leaf"]
        assert len(list(Path("/proc/self/fd").iterdir())) - before <= MAX_HELD_LEVELS + 1
        for depth in reversed(range(DEPTH)):
            assert cursor.leave() == "d"
            assert (cursor.depth, cursor.names()) == (depth, ["d"])


def test_a_tree_that_is_moved_meanwhile_is_left_with_an_error(top: Path):
    """The way up leads where the directory is now: that isn't where it was entered."""
    nest(top, ["d"] * DEPTH)
    (top / "elsewhere").mkdir()
    with RootDirectory(top) as root, TreeCursor(root.fd) as cursor:
        for _ in range(DEPTH):
            cursor.enter("d")
        moved = "/".join(["d"] * (DEPTH - 1))
        (top / moved / "d").rename(top / "elsewhere/d")
        (top / moved).rmdir()
        with pytest.raises(OSError, match="Stale"):
            cursor.leave()


def test_a_link_is_never_entered(top: Path):
    (top / "link").symlink_to("/etc")
    with RootDirectory(top) as root, TreeCursor(root.fd) as cursor, pytest.raises(OSError, match="directory"):
        cursor.enter("link")


@pytest.mark.parametrize(("count", "name"), [(2000, "d"), (40, LONG)])
def test_deep_trees_are_measured_and_removed(top: Path, count: int, name: str):
    nest(top, [name] * count)
    (top / "file").write_bytes(bytes(100))
    (top / "again").hardlink_to(top / "file")
    (top / "link").symlink_to("12345")
    assert tree_size(top) == 105
    remove_tree(top)
    assert not top.exists()
    assert tree_size(top) == 0


def test_what_a_removed_link_leads_to_stays(top: Path, tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (top / "link").symlink_to(tmp_path / "kept")
    remove_tree(top)
    assert (tmp_path / "kept/file").exists()
    with pytest.raises(FileNotFoundError):
        remove_tree(top)
    remove_tree(top, ignore_errors=True)


def test_paths_longer_than_the_kernel_takes_are_opened_with_links_and_all(top: Path):
    nest(top, [LONG] * 40)
    with RootDirectory(top) as root:
        half = root.open("/".join([LONG] * 20), os.O_PATH)
        os.symlink("/" + "/".join([LONG] * 10), "absolute", dir_fd=half)
        os.symlink(f"../{LONG}", "up", dir_fd=half)
        os.symlink("loop", "loop", dir_fd=half)
        os.close(half)
        begin = "/".join([LONG] * 20)
        for path in (f"{begin}/absolute/{'/'.join([LONG] * 30)}/leaf", f"{begin}/up/{'/'.join([LONG] * 20)}/leaf"):
            os.close(root.open(path, os.O_RDONLY))
        rest = "/".join([LONG] * 20)
        for path, number in (
            (f"{begin}/loop/{rest}", errno.ELOOP),
            (f"{begin}/nothing/{rest}", errno.ENOENT),
            (f"{begin}/{rest}/leaf/{rest}", errno.ENOTDIR),
            (f"{begin}/{LONG * 2}/{rest}", errno.ENAMETOOLONG),
        ):
            with pytest.raises(KernelError) as raised:
                os.close(root.open(path, os.O_PATH))
            assert raised.value.errno == number


def test_long_paths_stay_inside(top: Path, tmp_path: Path):
    (tmp_path / "secret").touch()
    nest(top, [LONG] * 20)
    with RootDirectory(top) as root:
        end = root.open("/".join([LONG] * 20), os.O_PATH)
        os.symlink("../" * 200 + "secret", "out", dir_fd=end)
        os.close(end)
        for path in ("/".join([LONG] * 20) + "/out", "../" * 2000 + "secret"):
            with pytest.raises(KernelError) as raised:
                os.close(root.open(path, os.O_PATH))
            assert raised.value.errno in {errno.ENOENT, errno.ELOOP}


def test_directories_are_made_however_long_their_path_is(top: Path):
    with RootDirectory(top) as root:
        os.close(root.make_directories("/".join([LONG] * 40)))
        os.close(root.open("/".join([LONG] * 40), os.O_PATH | os.O_DIRECTORY))


def test_a_part_lies_below_or_is_refused(top: Path):
    (top / "sub").mkdir()
    (top / "in").symlink_to("sub")
    (top / "out").symlink_to("/sub")
    with RootDirectory(top) as root:
        os.close(open_beneath(root.fd, "in", os.O_PATH))
        with pytest.raises(KernelError) as raised:
            os.close(open_beneath(root.fd, "out", os.O_PATH))
        assert raised.value.errno == errno.EXDEV


@pytest.mark.parametrize("target", ["/../../gone/far", "gone/far", "../../gone/far", "hop/far"])
def test_targets_of_links_are_made_inside_the_root(top: Path, tmp_path: Path, target: str):
    (top / "link").symlink_to(target)
    (top / "hop").symlink_to("/../../gone")
    before = set(tmp_path.iterdir())
    with RootDirectory(top) as root:
        os.close(root.make_directories("/link/deep", through_links=True))
        os.close(root.open("gone/far/deep", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW))
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("links", [{"link": ""}, {"link": "other", "other": "link"}, {"link": "link/x"}])
def test_links_that_lead_to_no_directory_are_refused(top: Path, links: dict[str, str]):
    for name, target in links.items():
        if target:
            (top / name).symlink_to(target)
        else:
            (top / name).touch()
    with RootDirectory(top) as root, pytest.raises(KernelError) as raised:
        os.close(root.make_directories("/link/deep", through_links=True))
    assert raised.value.errno in {errno.ENOTDIR, errno.ELOOP}


def test_a_link_that_leads_nowhere_is_in_the_way_unless_it_is_to_be_followed(top: Path):
    (top / "link").symlink_to("gone")
    with RootDirectory(top) as root, pytest.raises(KernelError) as raised:
        os.close(root.make_directories("/link/deep"))
    assert raised.value.errno == errno.ENOTDIR
    assert not (top / "gone").exists()
