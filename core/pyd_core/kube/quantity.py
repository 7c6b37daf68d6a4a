"""Quantities of the Kubernetes API: `100m`, `64Mi`, `1e3`."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"([+-]?\d{1,30}(?:\.\d{0,30})?|[+-]?\.\d{1,30})(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?")
_FACTORS: dict[str, float] = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
}


def parse_quantity(value: str | float | None) -> float | None:
    """Return a quantity as a number; None for a missing or malformed one."""
    if value is None or isinstance(value, int | float):
        return value
    match = _QUANTITY.fullmatch(value)
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    try:
        factor = _FACTORS[suffix] if suffix else 10.0 ** int(exponent or 0)
        return float(number) * factor
    except OverflowError:
        return None
