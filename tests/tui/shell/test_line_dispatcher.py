"""Builtins at the start of a pipe: their output reaches the programs unchanged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
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


class Asked:
    """An interactive shell whose user answers a question."""

    tools: tuple[str, ...] = ("ls",)

    def __init__(self, *, answer: bool) -> None:
        self.questions: list[str] = []
        self._answer = answer

    def confirm(self, question: str) -> bool:
        self.questions.append(question)
        return self._answer


@pytest.mark.parametrize(("line", "asks"), [("gdb -p 1", 1), ("@dig x", 1), ("nonsense", 0), ("ls gdb", 0)])
def test_a_missing_tool_offers_its_pack(line: str, asks: int):
    shell = Asked(answer=False)
    context = SimpleNamespace(interactive_shell=shell)
    assert LineDispatcher(lambda: context, lambda _: 127).run(line) == 127  # type: ignore[arg-type, return-value]
    assert len(shell.questions) == asks
    if line.startswith("gdb"):
        assert shell.questions == ["gdb is in pack trace: install it? [y/N] "]


def test_names_of_programs_take_their_arguments_to_the_program():
    lines: list[str] = []
    context = SimpleNamespace(interactive_shell=None)

    def bash(line: str) -> int:
        lines.append(line)
        return 0

    dispatcher = LineDispatcher(lambda: context, bash, nests=True)  # type: ignore[arg-type, return-value]
    for line in ("env A=1 sh -c true", "ps aux", "diff a b", "sockets | grep x", "fds $p", "true; net"):
        dispatcher.run(line)
    assert lines == ["command env A=1 sh -c true", "command ps aux", "command diff a b", "sockets | grep x", "fds $p",
                     "true; net"]  # fmt: skip
    assert [bool(dispatcher.refusal(name)) for name in ("sockets", "net", "get", "caps", "nothing")] == [
        False, False, True, True, True,
    ]  # fmt: skip
