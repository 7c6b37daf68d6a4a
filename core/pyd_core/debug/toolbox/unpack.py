"""Unpacking Debian packages into one flat directory.

`usr/` is dropped, so that packages from before and after Debian's merge of `/` and `/usr` lie alike, and every
symlink becomes a relative one.
"""

from __future__ import annotations

import posixpath
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from pyd_core.errors import ToolboxError
from pyd_debugimages.packs import LEFT_OUT


def flat(path: str) -> str:
    """Return where a path of a package (`./usr/bin/curl`, `/lib64/ld.so`) lies in the toolbox (`bin/curl`)."""
    clean = posixpath.normpath("/" + path).lstrip("/")
    return "" if clean == "usr" else clean.removeprefix("usr/")


def flat_link(path: str, target: str) -> str:
    """Return what a symlink of a package must say in the toolbox.

    Args:
        path: The link's path in the package.
        target: The link's target in the package.
    """
    whole = (
        target if target.startswith("/") else posixpath.join(posixpath.dirname("/" + path.removeprefix("./")), target)
    )
    return posixpath.relpath("/" + flat(whole), posixpath.dirname("/" + flat(path)))


def unpack(archive: Path, into: Path, left_out: Sequence[str] = LEFT_OUT, only: Sequence[str] = ("",)) -> None:
    """Unpack one `.deb`.

    Args:
        archive: The package.
        into: The directory.
        left_out: Prefixes of paths that are left out.
        only: Prefixes of paths that are included.
    """
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for entry in tar:
                name = flat(entry.name)
                if name and name.startswith(tuple(only)) and not f"{name}/".startswith(tuple(left_out)):
                    _extract(tar, entry, into / name)
        process.stdout.read()
    if process.returncode != 0:
        raise ToolboxError(f"{archive.name} can't be unpacked", hint="run it again: the package is fetched again")


def _extract(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    if entry.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if entry.issym():
        path.symlink_to(flat_link(entry.name, entry.linkname))
    elif entry.islnk():
        # Two names for one file: a copy would be patched twice, a link once.
        path.hardlink_to(_root(path, flat(entry.name)) / flat(entry.linkname))
    elif entry.isreg():
        content = tar.extractfile(entry)
        with path.open("wb") as file:
            if content is not None:
                shutil.copyfileobj(content, file, 1 << 20)
        path.chmod(entry.mode & 0o755)  # a toolbox grants no rights: no set-user-id


def _root(path: Path, name: str) -> Path:
    return path.parents[name.count("/")]
