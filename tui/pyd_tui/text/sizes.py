"""Sizes in binary units (IEC 80000-13), three figures at most."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(count: float) -> str:
    """Return bytes in words: `0 B`, `1.5 KiB`, `640 MiB`."""
    number = float(count)
    for unit in _UNITS[:-1]:
        if abs(number) < 999.5:
            return f"{_figures(number)} {unit}"
        number /= 1024
    return f"{_figures(number)} {_UNITS[-1]}"


def _figures(number: float) -> str:
    text = f"{number:.1f}" if abs(number) < 9.95 else f"{number:.0f}"
    return text.removesuffix(".0")
