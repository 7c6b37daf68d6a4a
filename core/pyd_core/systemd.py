"""Systemd as the service manager: units and systemctl(1)."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

SYSTEM_UNITS = Path("/etc/systemd/system")
"""The administrator's units (systemd.unit(5))."""
BOOTED = Path("/run/systemd/system")
"""Exists if systemd is the service manager (sd_booted(3))."""


def is_booted() -> bool:
    """Return whether systemd is this machine's service manager."""
    return BOOTED.is_dir()


def systemctl(*arguments: str, user: bool = False) -> str | None:
    """Run systemctl.

    Args:
        arguments: Its command and units.
        user: Whether to address the user's own manager.

    Returns:
        The error output if it failed, else None.
    """
    command = ["systemctl", "--quiet", *(["--user"] if user else []), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr.strip() or "failed"


def quote(argument: str) -> str:
    """Return an argument as unit files take it (systemd.syntax(7)), with `%` and `$` taken literally."""
    plain = argument.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace("\n", " ")
    return plain if shlex.quote(argument) == argument else '"' + plain.replace('"', '\\"') + '"'
