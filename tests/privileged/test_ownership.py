"""Ownership of the code that root runs unattended: at boot, by a unit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pyd_core.linux import ownership
from pyd_core.linux.ownership import first_changeable

SOMEBODY = 1234
STAFF = 50
"""A group of the system, whose members administrate it."""


@pytest.fixture
def tree() -> Iterator[Path]:
    """Files of root's, in a directory that only root may change."""
    if os.geteuid() != 0:
        pytest.skip("files of several owners take root")
    with TemporaryDirectory(dir="/var/lib") as name:
        root = Path(name)
        (root / "lib/inner").mkdir(parents=True)
        (root / "lib/inner/code.py").touch()
        (root / "link").symlink_to("lib")
        yield root


def test_what_is_roots_all_the_way_is_taken(tree: Path):
    assert first_changeable([str(tree / "lib"), str(tree / "link/inner/code.py"), "/usr/bin/env"]) is None


def test_a_file_below_counts(tree: Path):
    code = tree / "lib/inner/code.py"
    os.chown(code, SOMEBODY, 0)
    assert first_changeable([str(tree / "lib")]) == str(code)
    assert first_changeable([str(tree / "link")]) == str(code)


def test_a_directory_above_counts(tree: Path):
    os.chown(tree / "lib", SOMEBODY, 0)
    assert first_changeable([str(tree / "lib/inner/code.py")]) == str(tree / "lib")


def test_each_link_on_the_way_counts(tree: Path):
    (tree / "users").mkdir()
    (tree / "users/way").symlink_to("../lib/inner")
    (tree / "start").symlink_to("users/way")
    assert first_changeable([str(tree / "start/code.py")]) is None
    os.chown(tree / "users", SOMEBODY, 0)
    assert first_changeable([str(tree / "start/code.py")]) == str(tree / "users")


def test_a_circle_of_links_ends(tree: Path):
    (tree / "circle").symlink_to("circle")
    assert first_changeable([str(tree / "circle/code.py")]) is None


@pytest.mark.parametrize(
    ("mode", "group", "changeable"),
    [(0o777, 0, True), (0o775, SOMEBODY, True), (0o775, STAFF, False), (0o755, SOMEBODY, False), (0o1777, 0, False)],
)
def test_who_may_write_into_a_directory_counts_unless_it_is_sticky(tree: Path, mode: int, group: int, changeable: bool):
    inner = tree / "lib/inner"
    os.chown(inner, 0, group)
    inner.chmod(mode)
    assert first_changeable([str(inner)]) == (str(inner) if changeable else None)


def test_the_program_names_the_first_and_fails(tree: Path):
    command = [sys.executable, "-I", "-S", ownership.__file__, str(tree)]
    assert subprocess.run(command, check=False).returncode == 0
    os.chown(tree / "link", SOMEBODY, 0, follow_symlinks=False)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"{tree / 'link'}\n")


@pytest.mark.parametrize(
    "install",
    [
        (
            "from pathlib import Path; from pyd_core import systemd; from pyd_core.daemon import service; "
            "systemd.BOOTED = Path('/'); service.install()"
        ),
        "from pyd_core.watch.recorder_service import RecorderService; RecorderService(()).install()",
    ],
)
def test_no_unit_of_root_runs_code_from_a_users_checkout(install: str, tree: Path):
    """`sudo sh up.sh` in a checkout of a user's made units by which that user was root at the next boot."""
    os.chown(tree / "lib/inner/code.py", SOMEBODY, 0)
    code = f"import sys; sys.path.append({str(tree / 'lib')!r}); {install}"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert f"Refused: root would run code that others may change: {tree}/lib/inner/code.py" in done.stderr
