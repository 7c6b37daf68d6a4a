"""The machine's present boot."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return the id that the kernel made at this boot, see random(4)."""
    return _BOOT_ID.read_text().strip()
