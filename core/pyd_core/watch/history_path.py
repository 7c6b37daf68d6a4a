"""Path of the history of deaths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_OFF = "off"


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the history's path: `PYD_HISTORY`, the system's for root, else the user's."""
    configured = environ.get("PYD_HISTORY", "")
    if configured not in {"", _OFF}:
        return Path(configured)
    if os.geteuid() == 0:
        return Path("/var/lib/pyd/history.db")
    state = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME', '/')}/.local/state"
    return Path(state) / "pyd/history.db"


def path_unless_off(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the history's path for automatic recording; None if `PYD_HISTORY` is `off`."""
    return None if environ.get("PYD_HISTORY") == _OFF else default_path(environ)
