"""The front end by which pydd gives out a build's last failure again; other builders don't know it."""

from __future__ import annotations

FRONTEND = "pyd.failure.v0"
REFERENCE = "reference"
"""The attribute with the reference of the failed build."""
