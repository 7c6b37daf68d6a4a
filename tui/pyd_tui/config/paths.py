"""Paths of the user's files, as the platform has them (XDG Base Directory on Linux)."""

from __future__ import annotations

from pathlib import Path


def config_file() -> Path:
    """Return the path of the configuration file, which need not exist."""
    from platformdirs import user_config_path  # noqa: PLC0415 - most commands don't need it

    return user_config_path("pyd", appauthor=False) / "config.toml"


def state_file() -> Path:
    """Return the path of the dashboard's saved state."""
    from platformdirs import user_state_path  # noqa: PLC0415 - most commands don't need it

    return user_state_path("pyd", appauthor=False) / "dashboard.json"
