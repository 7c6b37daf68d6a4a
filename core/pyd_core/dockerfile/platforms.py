"""Platforms of images, `OS/ARCHITECTURE/VARIANT`, in the normal form that containerd and BuildKit compare."""

from __future__ import annotations

import os
import re

import msgspec

from pyd_core.errors import InvalidInput

_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_OS_VERSION = re.compile(r"([A-Za-z0-9_-]{1,64})(?:\(([A-Za-z0-9_.-]{0,64})\))?")
_SYSTEMS = frozenset(
    (
        *("aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "netbsd"),
        *("openbsd", "plan9", "solaris", "windows", "wasi", "zos"),
    )
)
_PROCESSORS = frozenset(
    (
        *("386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "ppc64le"),
        *("riscv64", "s390x", "wasm"),
    )
)
_ALIASES = {
    **dict.fromkeys(("i386", "i486", "i586", "i686", "x86"), ("386", "")),
    **dict.fromkeys(("x86_64", "x86-64"), ("amd64", "")),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
}


class ImagePlatform(msgspec.Struct, frozen=True):
    """Platform."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        """Return the short form: `linux/arm64/v8`."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def normalize(os_name: str, architecture: str, variant: str = "", os_version: str = "") -> ImagePlatform:
    """Return a platform in its normal form: `x86_64` is `amd64`, `arm` is `arm/v7`, `arm64/v8` is `arm64`."""
    system = {"macos": "darwin"}.get(os_name.lower(), os_name.lower()) or "linux"
    processor = architecture.lower()
    kind = variant.lower()
    processor, implied = _ALIASES.get(processor, (processor, ""))
    kind = kind or implied
    if processor == "arm64" and kind in {"8", "v8"}:
        kind = ""
    elif processor == "arm":
        kind = kind if kind.startswith("v") else f"v{kind or '7'}"
    elif processor == "amd64" and kind == "v1":
        kind = ""
    return ImagePlatform(system, processor, kind, os_version)


def parse_platform_text(text: str) -> ImagePlatform:
    """Parse a platform; a single word is an operating system or an architecture.

    Raises:
        InvalidInput: It is not a platform.
    """
    parts = text.split("/")
    match = _OS_VERSION.fullmatch(parts[0])
    if match is None or len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts[1:]):
        raise InvalidInput(f'"{text[:80]}" is not a platform', hint="write it as linux/amd64 or linux/arm/v7")
    system, os_version = match[1], match[2] or ""
    if len(parts) > 1:
        return normalize(system, parts[1], parts[2] if len(parts) > 2 else "", os_version)
    if {"macos": "darwin"}.get(system.lower(), system.lower()) in _SYSTEMS:
        return normalize(system, host_platform().architecture, os_version=os_version)
    platform = normalize("linux", system)
    if platform.architecture not in _PROCESSORS:
        raise InvalidInput(
            f'"{text[:80]}": unknown operating system or architecture', hint="write it as linux/amd64 or linux/arm/v7"
        )
    return platform


def host_platform() -> ImagePlatform:
    """Return this machine's platform."""
    return normalize("linux", os.uname().machine)
