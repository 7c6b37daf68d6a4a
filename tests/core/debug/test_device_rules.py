"""The program that decides which devices a session on cgroup version 2 opens, run here as the kernel runs it."""

from __future__ import annotations

import struct

import pytest

from pyd_core.debug.cgroup import DEFAULT_DEVICES
from pyd_core.debug.device_rules import assemble

BLOCK, CHARACTER = 1, 2
MAKE, READ, WRITE = 1, 2, 4


def decide(program: bytes, kind: int, major: int, minor: int, access: int) -> int:
    """Run the instructions that `assemble` uses (Documentation/bpf/standardization/instruction-set.rst)."""
    context = struct.pack("=3I", access << 16 | kind, major, minor)
    registers = [0] * 11
    steps = list(struct.iter_unpack("=BBhi", program))
    index = 0
    while True:
        operation, pair, offset, number = steps[index]
        target, source = pair & 15, pair >> 4
        index += 1
        match operation:
            case 0x61:
                registers[target] = struct.unpack_from("=I", context, offset)[0]
            case 0xBF:
                registers[target] = registers[source]
            case 0x77:
                registers[target] >>= number
            case 0x57:
                registers[target] &= number
            case 0xB7:
                registers[target] = number
            case 0x55:
                index += offset if registers[target] != number else 0
            case _:
                return registers[0]


@pytest.mark.parametrize(
    ("kind", "major", "minor", "access", "allowed"),
    [
        (CHARACTER, 1, 3, READ | WRITE, 1),
        (CHARACTER, 136, 9, READ | WRITE, 1),
        (BLOCK, 7, 0, MAKE, 1),
        (BLOCK, 7, 0, READ, 0),
        (BLOCK, 7, 0, READ | MAKE, 0),
        (BLOCK, 1, 3, READ, 0),
        (CHARACTER, 1, 1, READ, 0),
        (CHARACTER, 10, 200, WRITE, 1),
        (CHARACTER, 10, 201, WRITE, 0),
    ],
)
def test_the_usual_devices_are_opened_and_no_other(kind: int, major: int, minor: int, access: int, allowed: int):
    assert decide(assemble(DEFAULT_DEVICES), kind, major, minor, access) == allowed


def test_every_device_is_opened_where_the_target_opens_every_one():
    assert decide(assemble("a *:* rwm\n"), BLOCK, 8, 0, READ | WRITE | MAKE) == 1
    assert decide(assemble(""), CHARACTER, 1, 3, READ) == 0
