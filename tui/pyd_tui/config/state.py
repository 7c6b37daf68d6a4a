"""What the dashboard remembers: read without trust, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pyd_tui.config.settings import UiState


def recall(path: Path) -> UiState:
    """Return how the dashboard was left; the defaults where nothing usable is written."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=UiState)
    except (OSError, msgspec.DecodeError, RecursionError):
        return UiState()


def remember(path: Path, what: UiState) -> None:
    """Write how the dashboard was left.

    Raises:
        OSError: It can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(msgspec.json.encode(what))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
