"""Platforms, `OS/ARCHITECTURE/VARIANT`: parsing, and comparison with an image's."""

from __future__ import annotations

import re

from pyd_core.daemon.images.config import ImageConfig
from pyd_core.daemon.images.load import ARCHITECTURES, architecture
from pyd_core.errors import InvalidInput, NotFound

_PART = re.compile(r"[A-Za-z0-9_-]+")
_SYSTEMS = {
    *("aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd"),
    *("openbsd", "plan9", "solaris", "windows", "zos"),
}
_SYSTEM_ALIASES = {"macos": "darwin"}
_PROCESSORS = {
    *("386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "armel", "armhf", "loong64", "mips", "mipsle"),
    *("mips64", "mips64le", "mips64p32", "mips64p32le", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x"),
    *("sparc", "sparc64", "wasm"),
}
"""Operating systems and architectures of Go; a platform of one word must be one of them."""


def parse_platform(text: str) -> tuple[str, str, str]:
    """Parse a platform; missing parts default to this host's, and to any variant.

    Raises:
        InvalidInput: It is not a platform.
    """
    parts = text.lower().split("/")
    if len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts):
        component = next((part for part in parts if not _PART.fullmatch(part)), text)
        raise InvalidInput(
            f'"{component[:60]}" is an invalid component of "{text[:60]}": platform specifier component must match '
            f'"^[A-Za-z0-9_-]+$": invalid argument'
        )
    if len(parts) == 1:
        name = _SYSTEM_ALIASES.get(parts[0], parts[0])
        if name not in _SYSTEMS and ARCHITECTURES.get(name, name) not in _PROCESSORS:
            raise InvalidInput(f'"{text[:60]}": unknown operating system or architecture: invalid argument')
        parts = [name, architecture()] if name in _SYSTEMS else ["linux", name]
    system, processor, variant = [*parts, ""][:3]
    return _SYSTEM_ALIASES.get(system, system), ARCHITECTURES.get(processor, processor), variant


def check_platform(name: str, image: ImageConfig, requested: str) -> None:
    """Refuse an image for another platform; on this 404, clients pull the right one.

    Raises:
        NotFound: It is for another platform.
        InvalidInput: The requested platform is malformed.
    """
    system, processor, variant = parse_platform(requested)
    is_same = (image.os or "linux", image.architecture or processor) == (system, processor)
    if not is_same or (variant and image.variant not in {"", variant}):
        actual = "/".join(part for part in (image.os, image.architecture, image.variant) if part)
        raise NotFound(
            f"image with reference {name[:200]} was found but does not match the specified platform: wanted "
            f"{requested[:60]}, actual: {actual}"
        )
