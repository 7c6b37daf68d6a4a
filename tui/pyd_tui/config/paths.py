"""Where the user's own files lie, as the platform has it (XDG Base Directory on Linux)."""

from __future__ import annotations

from pathlib import Path


def config_file() -> Path:
    """Return the path of the configuration file, which need not exist."""
    from platformdirs import user_config_path  # noqa: PLC0415 - most verbs never ask

    return user_config_path("pyd", appauthor=False) / "config.toml"


def state_file() -> Path:
    """Return the path of what the dashboard remembers."""
    from platformdirs import user_state_path  # noqa: PLC0415 - as above

    return user_state_path("pyd", appauthor=False) / "dashboard.json"
