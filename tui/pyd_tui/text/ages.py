"""Ages in as few letters as say enough."""

from __future__ import annotations

_UNITS = ((365 * 86400, "y"), (7 * 86400, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def age(seconds: float) -> str:
    """Return a span of time by its largest whole unit: `42s`, `5m`, `3h`, `6d`, `9w`, `2y`.

    A negative span, as clocks that differ make, is `0s`.
    """
    whole = max(0, int(seconds))
    for length, unit in _UNITS:
        if whole >= length:
            return f"{whole // length}{unit}"
    return "0s"
