"""Reader of an ELF file's requirements: its machine, loader and shared libraries.

Sources: elf(5), `elf.h`. Only the headers and the dynamic section are read; every offset is checked, because the file
is untrusted.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec

from pyd_core.errors import InvalidInput

MAGIC = b"\x7fELF"

MACHINES = {
    3: "386",
    8: "mips",
    20: "ppc",
    21: "ppc64le",
    22: "s390x",
    40: "arm",
    62: "amd64",
    183: "arm64",
    243: "riscv64",
    258: "loong64",
}
"""`e_machine` and the architecture's name as images carry it (GOARCH)."""

_UNAMES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
    "loongarch64": "loong64",
}
_RUNS_TOO = {"amd64": {"386"}, "arm64": {"arm"}}

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 1, 5, 15, 29
_MAX_HEADERS = 512
_MAX_ENTRIES = 4096
_MAX_STRING_BYTES = 4096

ReadAt = Callable[[int, int], bytes]
"""Reads a number of bytes at an offset; fewer at the end of the file."""


class Elf(msgspec.Struct, frozen=True, kw_only=True):
    """The headers of a program or library."""

    machine: str
    """As images name it (`amd64`), or `machine N`."""
    bits: int
    interpreter: str = ""
    """The loader's path; empty for a static program or a library."""
    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    """RPATH and RUNPATH, `$ORIGIN` as it stands."""
    is_dynamic: bool = False
    """Whether it has a dynamic section; a static program hasn't."""


def host_architecture(machine: str) -> str:
    """Turn what `uname -m` says into the name images use."""
    return _UNAMES.get(machine, machine)


def runs_on(architecture: str, host: str) -> bool:
    """Return whether a processor runs programs of that architecture without emulation."""
    return architecture == host or architecture in _RUNS_TOO.get(host, set())


def read_elf(path: Path) -> Elf | None:
    """Return a file's ELF headers; None if the file can't be read or isn't valid ELF."""
    try:
        with path.open("rb") as file:
            return parse_elf(lambda offset, size: os.pread(file.fileno(), size, offset))
    except (OSError, InvalidInput):
        return None


def parse_elf(read: ReadAt) -> Elf:
    """Read the headers through a function that reads at an offset.

    Raises:
        InvalidInput: It isn't a sound ELF file.
    """
    try:
        return _read(read)
    except struct.error as error:
        raise InvalidInput("the file is cut short", reference="bad-elf") from error


def _read(read: ReadAt) -> Elf:
    ident = read(0, 64)
    if ident[:4] != MAGIC or len(ident) < 20:
        raise InvalidInput("not an ELF file", reference="bad-elf")
    wide = ident[4] == 2
    order = ">" if ident[5] == 2 else "<"
    (number,) = struct.unpack_from(order + "H", ident, 18)
    machine = MACHINES.get(number, f"machine {number}")
    bits = 64 if wide else 32
    if len(ident) < (64 if wide else 52):
        return Elf(machine=machine, bits=bits)
    offset, size, count = _header_table(ident, wide=wide, order=order)
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    interpreter = ""
    table = read(offset, size * count)
    for index in range(count):
        kind, start, address, length = _program_header(table, index * size, wide=wide, order=order)
        if kind == _PT_LOAD:
            loads.append((address, start, length))
        elif kind == _PT_DYNAMIC:
            dynamic = (start, length)
        elif kind == _PT_INTERP:
            interpreter = _text(read(start, min(length, _MAX_STRING_BYTES)))
    if dynamic is None:
        return Elf(machine=machine, bits=bits, interpreter=interpreter)
    needed, search = _dynamic(read, dynamic, loads, wide=wide, order=order)
    return Elf(machine=machine, bits=bits, interpreter=interpreter, needed=needed, search=search, is_dynamic=True)


def _header_table(ident: bytes, *, wide: bool, order: str) -> tuple[int, int, int]:
    """Offset, size of an entry and number of the program headers."""
    if wide:
        (offset,) = struct.unpack_from(order + "Q", ident, 32)
        size, count = struct.unpack_from(order + "HH", ident, 54)
    else:
        (offset,) = struct.unpack_from(order + "I", ident, 28)
        size, count = struct.unpack_from(order + "HH", ident, 42)
    if size < (56 if wide else 32):
        count = 0
    return int(offset), int(size), min(int(count), _MAX_HEADERS)


def _program_header(table: bytes, start: int, *, wide: bool, order: str) -> tuple[int, int, int, int]:
    """Kind, offset, address and size in the file."""
    if wide:
        kind, _flags, offset, address, _physical, length = struct.unpack_from(order + "IIQQQQ", table, start)
    else:
        kind, offset, address, _physical, length = struct.unpack_from(order + "IIIII", table, start)
    return int(kind), int(offset), int(address), int(length)


def _dynamic(
    read: ReadAt, section: tuple[int, int], loads: list[tuple[int, int, int]], *, wide: bool, order: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    entry = struct.Struct(order + ("qQ" if wide else "iI"))
    data = read(section[0], min(section[1], entry.size * _MAX_ENTRIES))
    names: list[int] = []
    paths: list[int] = []
    strings: int | None = None
    for offset in range(0, len(data) - entry.size + 1, entry.size):
        tag, value = entry.unpack_from(data, offset)
        if tag == 0:
            break
        if tag == _DT_NEEDED:
            names.append(value)
        elif tag in {_DT_RPATH, _DT_RUNPATH}:
            paths.append(value)
        elif tag == _DT_STRTAB:
            strings = next((value - addr + start for addr, start, size in loads if addr <= value < addr + size), None)
    if strings is None:
        return (), ()
    base = strings
    needed = tuple(_text(read(base + name, _MAX_STRING_BYTES)) for name in names)
    search = tuple(part for path in paths for part in _text(read(base + path, _MAX_STRING_BYTES)).split(":") if part)
    return needed, search


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", errors="replace")
