"""The devices of a session on cgroup version 2, where a program of the kernel's decides (BPF_PROG_TYPE_CGROUP_DEVICE).

Interfaces: bpf(2), Documentation/admin-guide/cgroup-v2.rst. The standard library alone.
"""

from __future__ import annotations

import ctypes
import os
import struct

from pyd_core.debug.syscalls import CallFailed, bpf

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from typing import Any

_PROG_LOAD, _PROG_ATTACH, _PROG_GET_FD_BY_ID, _PROG_QUERY = 5, 8, 13, 16
_PROG_TYPE_CGROUP_DEVICE, _CGROUP_DEVICE, _ALLOW_MULTI, _QUERY_EFFECTIVE = 15, 6, 2, 1
_ATTRIBUTE_BYTES = 128
_MAX_PROGRAMS = 64
_KINDS, _ACCESS = {"b": 1, "c": 2}, {"m": 1, "r": 2, "w": 4}


def take_device_rules(group: str, devices: dict[str, Any]) -> None:
    """Give a cgroup the device rules of another, or a list of rules.

    Args:
        group: The cgroup's directory.
        devices: `source`, the cgroup's directory to copy from; `rules`, what is allowed where that can't be read or has
            no rules; without `rules`, as for a privileged container, it may be without any.

    Raises:
        CallFailed: There should be rules, and none can be had.
    """
    own = os.open(group, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            programs = _programs(devices["source"])
        except (CallFailed, OSError):
            programs = []
        if not programs and devices["rules"]:
            programs = [_load(assemble(devices["rules"]))]
        for program in programs:
            bpf(_PROG_ATTACH, _attributes("4I", own, program, _CGROUP_DEVICE, _ALLOW_MULTI))
            os.close(program)
    finally:
        os.close(own)


def _programs(group: str) -> list[int]:
    """Return descriptors of the programs that decide for a cgroup, those of the cgroups above it included."""
    cgroup = os.open(group, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        numbers = (ctypes.c_uint32 * _MAX_PROGRAMS)()
        address, count = ctypes.addressof(numbers), len(numbers)
        query = _attributes("4IQI", cgroup, _CGROUP_DEVICE, _QUERY_EFFECTIVE, 0, address, count)
        bpf(_PROG_QUERY, query)
        loaded = struct.unpack_from("I", query, 24)[0]
    finally:
        os.close(cgroup)
    return [bpf(_PROG_GET_FD_BY_ID, _attributes("I", number)) for number in numbers[:loaded]]


def _load(program: bytes) -> int:
    code, licence = ctypes.create_string_buffer(program, len(program)), ctypes.create_string_buffer(b"Apache-2.0")
    addresses = ctypes.addressof(code), ctypes.addressof(licence)
    return bpf(_PROG_LOAD, _attributes("2I2Q", _PROG_TYPE_CGROUP_DEVICE, len(program) // 8, *addresses))


def _attributes(layout: str, *values: int) -> Any:
    data = struct.pack(f"={layout}", *values)
    return ctypes.create_string_buffer(data, _ATTRIBUTE_BYTES)


def assemble(rules: str) -> bytes:
    """Return the program that allows what a `devices.list` (cgroup version 1) has, and nothing else.

    Args:
        rules: Lines `a *:* rwm` or `TYPE MAJOR:MINOR ACCESS`.
    """
    move, shift, mask = 0xBF, 0x77, 0x57  # r = r, r >>= n, r &= n
    load, unequal, put, leave = 0x61, 0x55, 0xB7, 0x95  # *(u32 *), if r != n, r = n, exit
    # r2 the access, r3 the kind, r4 and r5 major and minor number.
    code = [_step(load, 2, 1, 0, 0), _step(move, 3, 2, 0, 0), _step(mask, 3, 0, 0, 0xFFFF), _step(shift, 2, 0, 0, 16)]
    code += [_step(load, 4, 1, 4, 0), _step(load, 5, 1, 8, 0)]
    for line in rules.splitlines():
        kind, numbers, access = line.split()
        major, minor = numbers.split(":")
        refused = ~sum(_ACCESS[letter] for letter in access) & 7
        tests = [(3, _KINDS[kind])] if kind in _KINDS else []
        tests += [(register, int(number)) for register, number in ((4, major), (5, minor)) if number != "*"]
        left = len(tests) + 5
        for register, number in tests:
            left -= 1
            code.append(_step(unequal, register, 0, left, number))
        code += [_step(move, 6, 2, 0, 0), _step(mask, 6, 0, 0, refused), _step(unequal, 6, 0, 2, 0)]
        code += [_step(put, 0, 0, 0, 1), _step(leave, 0, 0, 0, 0)]
    return b"".join([*code, _step(put, 0, 0, 0, 0), _step(leave, 0, 0, 0, 0)])


def _step(operation: int, target: int, source: int, offset: int, number: int) -> bytes:
    return struct.pack("=BBhi", operation, source << 4 | target, offset, number)
