"""A program that does nothing until its standard input ends: what a clone of a container runs in place of its own.

It is assembled here, byte by byte, because it has to run in an empty image, on a machine without a compiler. It ends
with its input, which ties the clone's life to the attached client's.
"""

from __future__ import annotations

import os
import platform
import struct

from pyd_core.errors import Unsupported

DEFAULT_ROOT = "/var/lib/pyd"

_X86_64 = bytes.fromhex(
    "31ff"  # again: xor edi, edi
    "4889e6"  # mov rsi, rsp
    "ba01000000"  # mov edx, 1
    "31c0"  # xor eax, eax: read
    "0f05"  # syscall
    "4885c0"  # test rax, rax
    "7fed"  # jg again
    "83f8fc"  # cmp eax, -4: EINTR
    "74e8"  # je again
    "31ff"  # xor edi, edi
    "b8e7000000"  # mov eax, 231: exit_group
    "0f05"  # syscall
)

_AARCH64 = struct.pack(
    "<12I",
    0xD2800000,  # again: mov x0, 0
    0x910003E1,  # mov x1, sp
    0xD2800022,  # mov x2, 1
    0xD28007E8,  # mov x8, 63: read
    0xD4000001,  # svc 0
    0xF100001F,  # cmp x0, 0
    0x5400000C | (-6 & 0x7FFFF) << 5,  # b.gt again
    0xB100101F,  # cmn x0, 4: EINTR
    0x54000000 | (-8 & 0x7FFFF) << 5,  # b.eq again
    0xD2800000,  # mov x0, 0
    0xD2800BC8,  # mov x8, 94: exit_group
    0xD4000001,  # svc 0
)

_MACHINES = {"x86_64": (62, _X86_64), "aarch64": (183, _AARCH64)}
"""By `uname -m`: the ELF machine number (elf.h) and the code."""

_BASE, _HEADERS = 0x400000, 64 + 56


def program(machine: str) -> bytes:
    """Return the executable for a machine, as `uname -m` names it (elf(5)).

    Raises:
        Unsupported: There is none for it.
    """
    if machine not in _MACHINES:
        raise Unsupported(f"no holder program for {machine} yet", hint="pyd debug without --hold works")
    number, code = _MACHINES[machine]
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = struct.pack("<HHIQQQIHHHHHH", 2, number, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = _HEADERS + len(code)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return ident + header + segment + code


def installed() -> str:
    """Return the program's path on this host, written first if it isn't there."""
    machine = platform.machine()
    content = program(machine)
    root = os.path.dirname(os.environ.get("PYD_TOOLBOX", "").rstrip("/")) or DEFAULT_ROOT
    path = f"{root}/holder-1-{machine}"
    if not os.path.exists(path):
        os.makedirs(root, exist_ok=True)
        fresh = f"{path}.{os.getpid()}"
        with open(fresh, "wb") as file:
            file.write(content)
        os.chmod(fresh, 0o755)  # noqa: S103 - any user of a clone runs it
        os.rename(fresh, path)
    return path
