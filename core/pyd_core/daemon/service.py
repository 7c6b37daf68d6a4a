"""The engine as a service of systemd: see systemd.service(5) and systemd.socket(5)."""

from __future__ import annotations

import grp
import os
import subprocess
from pathlib import Path

from pyd_core import systemd
from pyd_core.daemon.config import GROUPS
from pyd_core.errors import EngineError, Refused, Unsupported
from pyd_core.linux.interpreter import PYTHON, require_root_owned_code

TEMPLATES = Path(__file__).parent / "units"
UNITS = ("pyd.socket", "pyd.service")


def render(name: str, *, group: str, python: str = PYTHON) -> str:
    """Return a unit's text for this installation.

    Args:
        name: One of `UNITS`.
        group: Who may use the socket besides root.
        python: The interpreter the engine is installed for.
    """
    text = (TEMPLATES / name).read_text()
    return text.replace("@GROUP@", group).replace("@PYTHON@", python.replace("%", "%%"))


def install(*, directory: Path = systemd.SYSTEM_UNITS) -> str:
    """Write the units, start the engine now and at every boot, and return the group that may use it.

    Raises:
        Refused: Not root, or others than root may change the code that the engine runs.
        Unsupported: No systemd runs here.
        EngineError: systemd refused.
    """
    _require()
    require_root_owned_code()
    group = _group()
    for name in UNITS:
        (directory / name).write_text(render(name, group=group))
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", *UNITS)
    return group


def uninstall(*, directory: Path = systemd.SYSTEM_UNITS) -> None:
    """Stop the engine and remove the units; its containers keep running.

    Raises:
        Refused: Not root.
        Unsupported: No systemd runs here.
        EngineError: systemd refused.
    """
    _require()
    there = [name for name in UNITS if (directory / name).exists()]
    if there:
        _systemctl("disable", "--now", *there)
    for name in there:
        (directory / name).unlink()
    _systemctl("daemon-reload")


def _require() -> None:
    if os.geteuid() != 0:
        raise Refused("installing the engine takes root", hint="run it with sudo")
    if not systemd.is_booted():
        raise Unsupported(
            "no systemd runs here",
            hint="have your init run `pyd daemon`; root's `pyd` also starts the engine when it is needed",
            reference="no-systemd",
        )


def _group() -> str:
    """Return the group for the socket: an existing one of `GROUPS`, else the last of them, which is created."""
    known = {entry.gr_name for entry in grp.getgrall()}
    group = next((name for name in GROUPS if name in known), None)
    if group is not None:
        return group
    added = subprocess.run(["groupadd", "--system", GROUPS[-1]], capture_output=True, text=True, check=False)
    if added.returncode != 0:
        raise EngineError(f"groupadd: {added.stderr.strip()}")
    return GROUPS[-1]


def _systemctl(*arguments: str) -> None:
    if (error := systemd.systemctl(*arguments)) is not None:
        raise EngineError(f"systemctl {arguments[0]}: {error}", hint="see journalctl -u pyd")
