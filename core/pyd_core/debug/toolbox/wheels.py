"""Python packages for the toolbox, as wheels from the index that pip is set up for."""

from __future__ import annotations

import posixpath
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pyd_core.errors import ToolboxError
from pyd_core.linux.interpreter import module_command

_MODULES = "lib/python3/dist-packages"
"""Where Debian's Python looks for modules, whatever its version."""


def fetch(names: Sequence[str], directory: Path, progress: Callable[[str, int, int], None], machine: str) -> list[Path]:
    """Fetch wheels that run with any Python 3 on a machine, as `uname -m` names it, and return their paths.

    Raises:
        ToolboxError: pip couldn't.
    """
    if not names:
        return []
    directory.mkdir(parents=True, exist_ok=True)
    progress("fetching wheels", 0, 1)
    options = (
        "--no-deps",
        "--only-binary",
        ":all:",
        "--implementation",
        "py",
        "--abi",
        "none",
        "--dest",
        str(directory),
    )
    platforms = [part for platform in _platforms(machine) for part in ("--platform", platform)]
    command = module_command("pip", "download", "--disable-pip-version-check", "-q", *options, *platforms)
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        raise ToolboxError(
            f"no wheels of {', '.join(names)}: {errors[-1]}",
            hint="check the network and pip's index; the other packs don't need it",
            reference="toolbox-wheels",
        )
    progress("fetching wheels", 1, 1)
    return sorted(directory.glob("*.whl"))


def _platforms(machine: str) -> list[str]:
    return [*(f"manylinux_2_{minor}_{machine}" for minor in (5, 12, 17, 28)), f"manylinux2014_{machine}", "any"]


def unpack_wheel(wheel: Path, tree: Path) -> None:
    """Unpack one wheel: modules where Python looks, programs into `bin` (the binary distribution format, PEP 427)."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = _installed_path(entry.filename)
            if not name or entry.is_dir():
                continue
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file)
            path.chmod(0o755 if name.startswith("bin/") else 0o644)


def _installed_path(name: str) -> str:
    """Return where a wheel's file lies in the toolbox; nothing for one that would lie outside."""
    clean = posixpath.normpath(name)
    if clean.startswith(("/", "..")) or ".dist-info/" in clean:
        return ""
    _, data, rest = clean.partition(".data/")
    if not data:
        return f"{_MODULES}/{clean}"
    return f"bin/{rest.removeprefix('scripts/')}" if rest.startswith("scripts/") else ""
