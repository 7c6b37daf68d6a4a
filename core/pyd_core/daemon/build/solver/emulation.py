"""Platforms whose programs this machine runs: its own, its 32-bit one, and those that binfmt_misc emulates."""

from __future__ import annotations

from pathlib import Path

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.platforms import ImagePlatform, host_platform, normalize
from pyd_core.errors import Unsupported

BINFMT = Path("/proc/sys/fs/binfmt_misc")
_NATIVE = {"amd64": (("386", ""),), "arm64": (("arm", "v7"), ("arm", "v6"))}
"""Architectures whose programs a processor runs besides its own."""
_EMULATED = {
    "qemu-aarch64": ("arm64", ""),
    "qemu-arm": ("arm", "v7"),
    "qemu-i386": ("386", ""),
    "qemu-loongarch64": ("loong64", ""),
    "qemu-mips64": ("mips64", ""),
    "qemu-mips64el": ("mips64le", ""),
    "qemu-ppc64le": ("ppc64le", ""),
    "qemu-riscv64": ("riscv64", ""),
    "qemu-s390x": ("s390x", ""),
    "qemu-x86_64": ("amd64", ""),
}
"""Architectures by the names under which QEMU's packages register."""


def runnable_platforms(directory: Path = BINFMT) -> list[ImagePlatform]:
    """Return the platforms, this machine's own first."""
    own = host_platform()
    others = [normalize("linux", *item) for item in _NATIVE.get(own.architecture, ())]
    emulated = [normalize("linux", *item) for name, item in _EMULATED.items() if _is_usable(directory / name)]
    return list(dict.fromkeys([own, *others, *emulated]))


def _is_usable(entry: Path) -> bool:
    """Return whether an emulator is enabled and works in other root file systems (flag `F`, binfmt-misc.rst)."""
    try:
        lines = entry.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags:")), "")
    return "enabled" in lines and "F" in flags


def check_runnable(platform: ops_pb2.Platform, step: str, directory: Path = BINFMT) -> None:
    """Refuse a step for a platform whose programs don't run here.

    Raises:
        Unsupported: They don't.
    """
    if not platform.Architecture:
        return
    needed = normalize(platform.OS, platform.Architecture, platform.Variant)
    known = runnable_platforms(directory)
    if any((item.os, item.architecture) == (needed.os, needed.architecture) for item in known):
        return  # a variant is a matter of the processor's features, which the image's author knows
    raise Unsupported(
        f"{step[:200]}: this machine runs no {needed} programs",
        hint=f"register an emulator in binfmt_misc, such as qemu-user-static; it runs {', '.join(map(str, known))}",
        reference="platform-not-runnable",
    )
