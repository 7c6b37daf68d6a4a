"""Platforms, `OS/ARCHITECTURE/VARIANT`: which an image is for, and whether that is the one wanted."""

from __future__ import annotations

import re

from pyd_core.daemon.images.config import ImageFile
from pyd_core.daemon.images.load import ARCHITECTURES, architecture
from pyd_core.errors import InvalidInput, NotFound

_PART = re.compile(r"[A-Za-z0-9_-]+")
_SYSTEMS = {"linux", "windows", "darwin", "freebsd"}


def parse(text: str) -> tuple[str, str, str]:
    """Reads a platform; what is left out is this host's, and any variant.

    Raises:
        InvalidInput: It is none.
    """
    parts = text.lower().split("/")
    if len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidInput(f"invalid platform: {text[:60]!r}", hint="write OS/ARCHITECTURE, such as linux/arm64")
    if len(parts) == 1:
        parts = [parts[0], architecture()] if parts[0] in _SYSTEMS else ["linux", parts[0]]
    system, processor, variant = [*parts, ""][:3]
    return system, ARCHITECTURES.get(processor, processor), variant


def check(name: str, image: ImageFile, wanted: str) -> None:
    """Refuses an image that is for another platform; clients take a 404 of that for a reason to pull.

    Raises:
        NotFound: It is for another.
        InvalidInput: What is wanted is no platform.
    """
    system, processor, variant = parse(wanted)
    same = (image.os or "linux", image.architecture or processor) == (system, processor)
    if not same or (variant and image.variant not in {"", variant}):
        actual = "/".join(part for part in (image.os, image.architecture, image.variant) if part)
        raise NotFound(
            f"image with reference {name[:200]} was found but does not match the specified platform: wanted "
            f"{wanted[:60]}, actual: {actual}"
        )
