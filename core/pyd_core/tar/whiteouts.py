"""Whiteouts: members of a layer that delete paths of lower layers (OCI image spec, layer.md, "Whiteouts")."""

from __future__ import annotations

_PREFIX = ".wh."
OPAQUE = ".wh..wh..opq"
"""Name of the member that hides everything that lower layers have in its directory."""


def whiteout_name(name: str) -> str:
    """Return the name of the member that deletes a name in the same directory."""
    return _PREFIX + name


def hidden_name(name: str) -> str | None:
    """Return the name that a member deletes, or None if it isn't a whiteout."""
    return name.removeprefix(_PREFIX) if is_whiteout(name) else None


def is_whiteout(name: str) -> bool:
    """Return whether a member's name marks it as a whiteout."""
    return name.startswith(_PREFIX)
