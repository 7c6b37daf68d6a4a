"""Builtins at the start of a pipe: their output reaches the programs unchanged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

from pyd_tui.shell import line_dispatcher
from pyd_tui.shell.line_dispatcher import LineDispatcher


class Loud:
    """A builtin that prints some bytes, part of them as text."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def make_context(self, *_: object, **__: object) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def invoke(self, _: object) -> int:
        sys.stdout.write("first\n")
        sys.stdout.flush()
        sys.stdout.buffer.write(self._data)
        return 0


@pytest.mark.parametrize(
    "data",
    [b"caf\xc3\xa9 'quoted' $HOME \\n %s\n", b"\xd4\xc3\xb2\xa1\x00\x00\\0\\\\\xff\x00'", b"", bytes(range(256)) * 40],
    ids=["text", "a capture", "nothing", "every byte"],
)
def test_a_builtins_output_passes_through_bash_unchanged(data: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(line_dispatcher, "load", lambda _: Loud(data))
    out = tmp_path / "out"

    def bash(line: str) -> int:
        return subprocess.run(["bash", "-c", line.encode(errors="surrogateescape")], check=False).returncode

    assert LineDispatcher(lambda: None, bash).run(f"ps | cat > {out}") == 0  # type: ignore[arg-type, return-value]
    assert out.read_bytes() == b"first\n" + data
