"""Sizes in bytes: `512m`, `1.5g`, `64kb`, `2GiB` (docker/go-units, `RAMInBytes`)."""

from __future__ import annotations

import re

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(?:([kmgtp])(?:i?b)?|b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}

UNLIMITED = -1


def parse_size(text: str, *, unlimited: bool = False) -> int:
    """Return a size in bytes; units are binary in every spelling.

    Args:
        text: A number, optionally with a unit.
        unlimited: `-1` is allowed too.

    Raises:
        InvalidInput: It is not a size.
    """
    if unlimited and text == "-1":
        return UNLIMITED
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"not a size: {safe(text)!r}", hint="write a number with b, k, m or g, such as 512m")
    return int(float(match[1]) * 1024 ** _POWERS[(match[2] or "").lower()])
