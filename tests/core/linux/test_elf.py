"""Reading ELF headers."""

from __future__ import annotations

import sys
from pathlib import Path

from pyd_core.linux.elf import read_elf


def test_a_dynamic_program_names_its_loader_and_libraries():
    found = read_elf(Path(sys.executable).resolve())
    assert found is not None
    assert found.is_dynamic
    assert found.interpreter.startswith("/lib")
    assert any(name.startswith("libc.so") for name in found.needed)


def test_anything_else_is_no_program(tmp_path: Path):
    whole = Path(sys.executable).resolve().read_bytes()
    for number, data in enumerate((b"", b"\x7fELF", b"#!/bin/sh\n", whole[:70], whole[:64] + b"\xff" * 500)):
        path = tmp_path / str(number)
        path.write_bytes(data)
        assert read_elf(path) is None or not read_elf(path).is_dynamic  # type: ignore[union-attr]
    assert read_elf(tmp_path / "missing") is None
