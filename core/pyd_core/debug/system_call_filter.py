"""The seccomp filter of a debugger's session: what no session needs and what gets out of containers.

A target's program comes first on PATH, so a hostile one runs with what a debugger has. Its engine's filter can't hold
here, as it refuses what debugging takes (ptrace(2), perf_event_open(2)); this one refuses the calls that reach beyond a
container whatever its mounts are: files by handle, keys, kernel modules, BPF, and user namespaces, whose
creator has all capabilities in them.

Classic BPF (seccomp(2)), one program for every machine: it asks which one a call is made for.
"""

from __future__ import annotations

import errno
import struct

import msgspec

_LOAD, _EQUAL, _NOT_BELOW, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
"""Offsets in `struct seccomp_data`; of arguments, the low half."""
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_CLONE_NEWUSER = 0x10000000
_X32 = 0x40000000
"""Added to the numbers of calls that are made the x32 way."""


class _Machine(msgspec.Struct, frozen=True, kw_only=True):
    """An architecture of linux/audit.h and its call numbers."""

    architecture: int
    refused: tuple[int, ...]
    bpf: int
    clone: int
    unshare: int
    setns: int
    x32: bool = False


# open_by_handle_at, add_key, request_key, keyctl, userfaultfd, kexec_load, kexec_file_load, init_module,
# finit_module, delete_module; 32-bit x86 has no kexec_file_load.
_MACHINES = (
    _Machine(
        architecture=0xC000003E,  # x86_64
        refused=(304, 248, 249, 250, 323, 246, 320, 175, 313, 176),
        bpf=321,
        clone=56,
        unshare=272,
        setns=308,
        x32=True,
    ),
    _Machine(
        architecture=0x40000003,  # i386
        refused=(342, 286, 287, 288, 374, 283, 128, 350, 129),
        bpf=357,
        clone=120,
        unshare=310,
        setns=346,
    ),
    _Machine(
        architecture=0xC00000B7,  # aarch64
        refused=(265, 217, 218, 219, 282, 104, 294, 105, 273, 106),
        bpf=280,
        clone=220,
        unshare=97,
        setns=268,
    ),
    _Machine(
        architecture=0x40000028,  # arm
        refused=(371, 309, 310, 311, 388, 347, 401, 128, 379, 129),
        bpf=386,
        clone=120,
        unshare=337,
        setns=375,
    ),
)
_CLONE3 = 435
"""Its flags lie in memory, where a filter can't look; without it, C libraries make the call clone(2)."""


def session_filter(*, tracer: bool = False) -> bytes:
    """Return the program, as an array of `struct sock_filter`.

    Args:
        tracer: Leave bpf(2) to who may load programs.
    """
    code = [_step(_LOAD, _ARCHITECTURE)]
    for machine in _MACHINES:
        block = _block(machine, tracer=tracer)
        code += [_step(_EQUAL, machine.architecture, 0, len(block)), *block]
    return b"".join([*code, _step(_RETURN, _REFUSE)])


def _block(machine: _Machine, *, tracer: bool) -> list[bytes]:
    code = [_step(_LOAD, _NUMBER)]
    if machine.x32:
        code += [_step(_NOT_BELOW, _X32, 0, 1), _step(_RETURN, _UNKNOWN)]
    code += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _UNKNOWN)]
    for number in machine.refused if tracer else (*machine.refused, machine.bpf):
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _REFUSE)]
    for number in (machine.clone, machine.unshare):
        code += [_step(_EQUAL, number, 0, 4), *_unless(_FIRST)]
    # With no kind given, setns(2) takes any.
    code += [_step(_EQUAL, machine.setns, 0, 6), _step(_LOAD, _SECOND), _step(_EQUAL, 0, 0, 1), _step(_RETURN, _REFUSE)]
    return [*code, *_unless(_SECOND)[1:], _step(_RETURN, _ALLOW)]


def _unless(argument: int) -> list[bytes]:
    """Four steps: refuses where an argument asks for a user namespace, and allows otherwise."""
    return [
        _step(_LOAD, argument),
        _step(_ANY_BIT, _CLONE_NEWUSER, 0, 1),
        _step(_RETURN, _REFUSE),
        _step(_RETURN, _ALLOW),
    ]


def _step(operation: int, number: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, number)
