from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from pyd_core.errors import InvalidInput
from pyd_core.linux.elf import host_architecture, parse_elf, read_elf, runs_on


def parse(data: bytes) -> object:
    return parse_elf(lambda offset, size: data[offset : offset + size])


def test_a_dynamic_program_names_its_loader_and_libraries() -> None:
    result = read_elf(Path("/bin/ls").resolve())
    assert result is not None
    assert result.is_dynamic
    assert result.interpreter.startswith("/lib")
    assert any(name.startswith("libc.so") for name in result.needed)
    assert runs_on(result.machine, host_architecture(subprocess.check_output(["uname", "-m"], text=True).strip()))


def test_a_library_names_the_libraries_it_needs() -> None:
    libc = next(Path("/lib").glob("*/libc.so.6"), None) or next(Path("/lib64").glob("libc.so.6"))
    result = read_elf(libc.resolve())
    assert result is not None
    assert result.needed


def test_what_is_no_elf_file_is_none(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert read_elf(script) is None
    assert read_elf(tmp_path / "missing") is None


def test_a_foreign_header_is_read_in_its_own_byte_order() -> None:
    big = b"\x7fELF\x02\x02\x01" + bytes(9) + struct.pack(">HHIQQQIHHHHHH", 2, 22, 1, 0, 0, 0, 0, 64, 56, 0, 0, 0, 0)
    assert parse(big).machine == "s390x"  # type: ignore[attr-defined]


def test_every_cut_of_a_real_program_is_read_or_refused_and_never_crashes() -> None:
    data = Path("/bin/ls").resolve().read_bytes()
    for length in [*range(256), *range(256, len(data), 4099)]:
        try:
            parse(data[:length])
        except InvalidInput:
            continue


def test_headers_full_of_nonsense_are_bounded() -> None:
    data = bytearray(Path("/bin/ls").resolve().read_bytes()[:4096])
    data[32:40] = b"\xff" * 8
    with pytest.raises(InvalidInput):
        parse(bytes(data))
