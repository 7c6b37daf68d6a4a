"""A fresh interpreter for the join: no environment, and a program file of its own that no process can write.

A process that is in the target's pid namespace can be looked at from there. A fork of the client would show what the
client has: the user's environment, the interpreter's file on this machine (CVE-2019-5736), all that it has loaded.
"""

from __future__ import annotations

import fcntl
import os
import sys

from pyd_core.linux.interpreter import PYTHON

_PROGRAM = "/proc/self/exe"
_MFD_EXEC = 0x10
_SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008
"""F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE (fcntl(2))."""
_ADD_SEALS = 1033
_CHUNK_BYTES = 1 << 26
_HEADER_BYTES = 1 << 16


def seal_program() -> int:
    """Return a descriptor of a copy of this interpreter in memory, sealed against every change (memfd_create(2))."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        copy = os.memfd_create("pyd", flags | _MFD_EXEC)
    except OSError:  # Linux before 6.3 doesn't know the flag
        copy = os.memfd_create("pyd", flags)
    program = os.open(_PROGRAM, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while os.sendfile(copy, program, None, _CHUNK_BYTES):
            pass
    finally:
        os.close(program)
    fcntl.fcntl(copy, _ADD_SEALS, _SEALS)
    return copy


def command_line(status: int) -> list[str]:
    """Return the arguments that make the interpreter a supervisor (`join.main`).

    Args:
        status: The descriptor of its socket.
    """
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.append({root!r}); from pyd_core.debug.join import main; main({status})"
    # It finds its library by its own name; that of a virtual environment would have it look for more.
    program = os.path.realpath(getattr(sys, "_base_executable", None) or PYTHON)
    options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    return [program, *options, "-c", code]


def environment(program: int) -> dict[str, str]:
    """Return what the interpreter starts with, and forgets (`syscalls.forget_start`).

    Without `LC_ALL=C` it would load a locale and keep this machine's locale files mapped. The dynamic linker needs the
    path of libraries that it would look for next to the program.

    Args:
        program: As `seal_program` returns it.
    """
    if b"$ORIGIN" not in os.pread(program, _HEADER_BYTES, 0):
        return {"LC_ALL": "C"}
    return {
        "LC_ALL": "C",
        "LD_LIBRARY_PATH": os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(_PROGRAM))), "lib"),
    }
