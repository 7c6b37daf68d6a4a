"""Debugging where pyd isn't root on the engine's host: the same join, in a short-lived container of the engine's."""

from __future__ import annotations

TOOLBOX = "/toolbox"
"""Where the toolbox lies in the helper's image: every runtime covers `/dev`, so it can't be at its prefix."""
