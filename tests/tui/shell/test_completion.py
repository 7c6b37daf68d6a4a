"""Completion of builtins' arguments: values of the right kind, from the right machine."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, cast

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from pyd_core.debug.access import Access, DirectoryEntry
from pyd_core.debug.channel import JoinReport
from pyd_tui.shell.completion import ShellCompleter
from pyd_tui.shell.interactive_shell import ShellContext


class Files:
    """A target that has one file and one user."""

    def list(self, _: str) -> list[DirectoryEntry]:
        return [DirectoryEntry(name="of-the-target", mode=stat.S_IFREG | 0o644, uid=0, gid=0, size=0, changed=0)]

    def read_file(self, *_: Any, **__: Any) -> bytes:
        return b"app:x:1000:7:An app:/:/x\nbroken:x:\n\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of this machine's with a file, a folder and a hidden file; a store without anything in it."""
    (tmp_path / "of-this-machine").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path / "store"))


def offered(line: str) -> list[str]:
    def shell() -> ShellContext:
        return ShellContext(access=cast("Access", Files()), engine=lambda: cast("Any", None), name="web")

    completer = ShellCompleter(shell, JoinReport, lambda: ("curl", "ls"))
    return [completion.text.rstrip() for completion in completer.get_completions(Document(line), CompleteEvent())]


@pytest.mark.parametrize("line", ["put ", "get /etc/passwd ", "pcap -w ", "report ", "record "])
def test_local_paths_are_offered_for_local_arguments(line: str):
    assert offered(line) == ["of-this-machine", "sub/"]


def test_entries_of_a_local_directory_are_offered(tmp_path: Path):
    (tmp_path / "sub/in it").write_text("")
    assert offered("put sub/") == ["sub/in\\ it"]
    assert offered("put nowhere/") == []


@pytest.mark.parametrize("line", ["get ", "edit ", "files ", "diff ", "put ./x "])
def test_target_paths_are_offered_for_target_arguments(line: str):
    assert offered(line) == ["of-the-target"]


def test_identities_packs_and_programs_are_offered_by_name():
    assert offered("su ") == ["1000:7", "root", "target", "tracer"]
    assert "net" in offered("install ")
    assert "base" not in offered("install ")
    assert offered("uninstall ") == []
    assert {"curl", "ps"} <= {*offered("whence ")}


@pytest.mark.parametrize("line", ["dns ", "reach ", "forward ", "search ", "inspect "])
def test_no_files_are_offered_for_other_arguments(line: str):
    assert offered(line) == []
