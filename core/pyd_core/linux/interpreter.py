"""Interpreters and other programs, started in a directory that another user may have filled.

`python -m` puts the working directory in front of the standard library, `PYTHONPATH` does the same with any other, and
a relative entry of `PATH` resolves programs there. Each runs a stranger's code where `pyd` is called in a stranger's
directory, so interpreters are started through this module only.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as type checkers know it: every command line waits for this module
if TYPE_CHECKING:
    from collections.abc import MutableMapping


PYTHON = sys.executable
"""The interpreter that this installation belongs to."""


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of this installation with this interpreter.

    `-I` keeps the working directory, the user's site directory and every `PYTHON*` variable out of it.
    """
    return [PYTHON, "-I", "-m", module, *arguments]


def program_beside(name: str) -> str | None:
    """Return the path of a program that a package brought into this interpreter's directory, None where it isn't."""
    path = f"{os.path.dirname(PYTHON)}/{name}"  # noqa: PTH120 - loading pathlib keeps every command line waiting
    return path if os.access(path, os.X_OK) else None


def code_paths() -> list[str]:
    """Return the files and directories that this interpreter loads code from."""
    return [PYTHON, f"{sys.prefix}/pyvenv.cfg", *(entry for entry in sys.path if entry.startswith("/"))]


def require_root_owned_code() -> None:
    """Check that only root may change the code of this installation, which is about to run as root.

    Raises:
        Refused: Another user may change it.
    """
    from pyd_core.errors import Refused  # noqa: PLC0415 - for services alone, and every command line waits for this module
    from pyd_core.linux.ownership import first_changeable  # noqa: PLC0415 - as above

    changeable = first_changeable(code_paths())
    if changeable is not None:
        raise Refused(
            f"root would run code that others may change: {changeable}",
            hint="install pyd where root alone writes: `sudo sh up.sh` puts it into /usr/local/lib/pyd",
            reference="changeable-code",
        )


def drop_relative_search_paths(environ: MutableMapping[str, str] = os.environ) -> None:
    """Remove the entries of `PATH` that depend on the working directory, the empty one among them (exec(3))."""
    entries = environ.get("PATH", os.defpath).split(os.pathsep)
    absolute = [entry for entry in entries if entry.startswith("/")]
    if len(absolute) != len(entries):
        environ["PATH"] = os.pathsep.join(absolute) or os.defpath
