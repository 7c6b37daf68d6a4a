"""Sizes and lengths of time for people."""

from __future__ import annotations

import math

_SIZE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_AGE_UNITS = ((365 * 86400, "y"), (7 * 86400, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_COARSE_UNITS = (("m", 1, 60), ("h", 60, 48 * 60), ("d", 1440, 60 * 1440), ("w", 10080, 104 * 10080))
"""Unit, its length and the limit up to which it is used, both in minutes."""

_DOCKER_UNITS = (
    (48, "hour", 1),
    (336, "day", 24),
    (1440, "week", 168),
    (17_520, "month", 720),
    (math.inf, "year", 8760),
)
"""The limit up to which a unit is used, the unit, and its length, both in hours."""
_DOCKER_SINGULARS = {"second": "1 second", "minute": "About a minute", "hour": "About an hour"}


def size(count: float) -> str:
    """Return bytes in binary units (IEC 80000-13) with at most three figures: `0 B`, `1.5 KiB`, `640 MiB`."""
    number = float(count)
    for unit in _SIZE_UNITS[:-1]:
        if abs(number) < 999.5:
            return f"{_figures(number)} {unit}"
        number /= 1024
    return f"{_figures(number)} {_SIZE_UNITS[-1]}"


def _figures(number: float) -> str:
    text = f"{number:.1f}" if abs(number) < 9.95 else f"{number:.0f}"
    return text.removesuffix(".0")


def compact_size(count: float) -> str:
    """Return bytes in at most five columns: `0B`, `812B`, `4.2K`, `37M`, `512M`, `1.5G`; binary multiples."""
    value = float(max(count, 0))
    for unit in "BKMGTP":
        if value < 999.5 or unit == "P":
            if unit == "B" or value >= 99.5 or abs(value - round(value)) < 0.05:
                return f"{value:.0f}{unit}"
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
        value /= 1024
    raise AssertionError  # the last unit always returns


def duration(seconds: float) -> str:
    """Return a length of time for a sentence: `0.04 s`, `12 s`, `5 min`, `3 h`, `2 days`."""
    if seconds < 10:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    for limit, unit, length in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def lifetime(seconds: float) -> str:
    """Return when something ended after its start: `after 12 s`, `at once`."""
    return f"after {duration(seconds)}" if seconds >= 0.005 else "at once"


def age(seconds: float) -> str:
    """Return a length of time in its largest whole unit: `42s`, `5m`, `3h`, `6d`, `9w`, `2y`.

    A negative one, as clocks that differ give, is `0s`.
    """
    whole = max(0, int(seconds))
    for length, unit in _AGE_UNITS:
        if whole >= length:
            return f"{whole // length}{unit}"
    return "0s"


def coarse_age(seconds: float) -> str:
    """Return a length of time in at most three columns, which seldom changes: `<1m`, `5m`, `47h`, `12d`, `8w`, `3y`."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "<1m"
    for unit, length, limit in _COARSE_UNITS:
        if minutes < limit:
            return f"{minutes // length}{unit}"
    return f"{minutes // 525600}y"


def stepped_age(seconds: float) -> str:
    """Return a length of time as `coarse_age` does, but below a minute in steps of five seconds: `0s`, `5s`, `55s`."""
    return f"{int(seconds) // 5 * 5}s" if seconds < 60 else coarse_age(seconds)


def docker_duration(seconds: float) -> str:
    """Return a length of time in Docker's words: `About a minute`, `3 hours` (docker/go-units, `HumanDuration`)."""
    whole, hours = max(0, int(seconds)), int(seconds / 3600 + 0.5)
    if whole < 60:
        count, unit = whole, "second"
    elif whole < 3600:
        count, unit = whole // 60, "minute"
    else:
        unit, length = next((unit, length) for limit, unit, length in _DOCKER_UNITS if hours < limit)
        count = hours // length
    if count == 1 and unit in _DOCKER_SINGULARS:
        return _DOCKER_SINGULARS[unit]
    return "Less than a second" if count == 0 else f"{count} {unit}{'' if count == 1 else 's'}"
