"""The dashboard's saved state: read without trust, written atomically."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pyd_tui.config.settings import UiState


def load_state(path: Path) -> UiState:
    """Return the saved state, or the defaults if there is none that is valid."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=UiState)
    except (OSError, msgspec.DecodeError, RecursionError):
        return UiState()


def save_state(path: Path, state: UiState) -> None:
    """Save the dashboard's state.

    Raises:
        OSError: The file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(msgspec.json.encode(state))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
