"""What an ELF file says about how it is run: its machine, its loader, the libraries it needs (elf(5))."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 1, 5, 15, 29

MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}


@dataclass(frozen=True, slots=True)
class Elf:
    """A program or library.

    Attributes:
        machine: `x86_64`, `aarch64` …, or the number of one without a name here.
        interpreter: The loader of a dynamic program; empty for libraries and static programs.
        needed: Names of the libraries it is linked with.
        search: Its DT_RPATH or DT_RUNPATH.
        is_dynamic: Whether it has a dynamic section.
    """

    machine: str
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    search: str = ""
    is_dynamic: bool = False


def read_elf(path: Path) -> Elf | None:
    """Reads a file's ELF headers; None for anything that is no 64-bit little-endian ELF file, or a broken one."""
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x7fELF\x02\x01":
                return None
            return _parse(b"\x7fELF\x02\x01" + file.read())
    except (OSError, struct.error, IndexError, ValueError):
        return None


def _parse(data: bytes) -> Elf:
    machine = struct.unpack_from("<H", data, 18)[0]
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    loads: list[tuple[int, int, int]] = []
    interpreter, dynamic = "", b""
    for index in range(count):
        kind, _, start, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + index * size)
        if kind == _PT_LOAD:
            loads.append((address, start, length))
        elif kind == _PT_INTERP:
            interpreter = data[start : start + length].rstrip(b"\0").decode()
        elif kind == _PT_DYNAMIC:
            dynamic = data[start : start + length]
    name = MACHINES.get(machine, str(machine))
    if not dynamic:
        return Elf(name, interpreter)
    entries: list[tuple[int, int]] = list(struct.iter_unpack("<QQ", dynamic[: len(dynamic) // 16 * 16]))
    strings = next((value for tag, value in entries if tag == _DT_STRTAB), 0)
    base = next(
        (start + strings - address for address, start, length in loads if address <= strings < address + length)
    )

    def text(at: int) -> str:
        return data[base + at : data.index(b"\0", base + at)].decode()

    return Elf(
        name,
        interpreter,
        tuple(text(value) for tag, value in entries if tag == _DT_NEEDED),
        next((text(value) for tag, value in entries if tag in (_DT_RPATH, _DT_RUNPATH)), ""),
        is_dynamic=True,
    )
