"""The seccomp filter of a debugger's session, run here by an interpreter of its instructions."""

from __future__ import annotations

import errno
import struct

import pytest

from pyd_core.debug.system_call_filter import session_filter

X86_64, I386, AARCH64, ARM = 0xC000003E, 0x40000003, 0xC00000B7, 0x40000028
ALLOWED, REFUSED, UNKNOWN = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
NEW_USER, SIGCHLD = 0x10000000, 17


def decide(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Run a filter as the kernel does (Documentation/networking/filter.rst)."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("=HBBI", program))
    accumulator = index = 0
    while True:
        operation, if_true, if_false, value = steps[index]
        index += 1
        match operation:
            case 0x20:
                accumulator = struct.unpack_from("=I", data, value)[0]
            case 0x15:
                index += if_true if accumulator == value else if_false
            case 0x35:
                index += if_true if accumulator >= value else if_false
            case 0x45:
                index += if_true if accumulator & value else if_false
            case _:
                return int(value)


CALLS = {
    X86_64: {"open_by_handle_at": 304, "keyctl": 250, "bpf": 321, "clone": 56, "unshare": 272, "setns": 308, "read": 0},
    I386: {"open_by_handle_at": 342, "keyctl": 288, "bpf": 357, "clone": 120, "unshare": 310, "setns": 346, "read": 3},
    AARCH64: {
        "open_by_handle_at": 265,
        "keyctl": 219,
        "bpf": 280,
        "clone": 220,
        "unshare": 97,
        "setns": 268,
        "read": 63,
    },
    ARM: {"open_by_handle_at": 371, "keyctl": 311, "bpf": 386, "clone": 120, "unshare": 337, "setns": 375, "read": 3},
}


@pytest.mark.parametrize("architecture", CALLS)
def test_what_reaches_beyond_a_container_is_refused_on_every_machine(architecture: int):
    program, numbers = session_filter(), CALLS[architecture]
    for call in ("open_by_handle_at", "keyctl", "bpf"):
        assert decide(program, architecture, numbers[call]) == REFUSED, call
    assert decide(program, architecture, numbers["read"], 0, 1, 2) == ALLOWED
    assert decide(program, architecture, numbers["clone"], NEW_USER | SIGCHLD) == REFUSED
    assert decide(program, architecture, numbers["clone"], SIGCHLD, NEW_USER) == ALLOWED
    assert decide(program, architecture, numbers["unshare"], NEW_USER) == REFUSED
    assert decide(program, architecture, numbers["unshare"], 0x20000) == ALLOWED
    assert decide(program, architecture, numbers["setns"], 3, 0) == REFUSED
    assert decide(program, architecture, numbers["setns"], 3, NEW_USER) == REFUSED
    assert decide(program, architecture, numbers["setns"], 3, 0x40000000) == ALLOWED
    assert decide(program, architecture, 435) == UNKNOWN
    assert decide(session_filter(tracer=True), architecture, numbers["bpf"]) == ALLOWED


def test_other_ways_into_the_kernel_are_refused():
    program = session_filter()
    assert decide(program, X86_64, 0x40000000) == UNKNOWN
    assert decide(program, X86_64, 0x40000000 | 304) == UNKNOWN
    assert decide(program, 0xC0000015, 0) == REFUSED
