"""Histories on disk."""

from __future__ import annotations

import stat
from pathlib import Path

from pyd_tui.shell.history import MAX_FILE_BYTES, TargetHistory, history_path


def test_each_name_has_its_own_file_inside_the_directory(tmp_path: Path):
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    names = ["web", "web.1", "web_1", "../../etc/passwd", "a/b", "a_b", "x" * 300, "x" * 301, "."]
    paths = [history_path(name, environ) for name in names]
    assert len(set(paths)) == len(names)
    assert {path.parent for path in paths} == {tmp_path / "pyd/shell"}
    assert history_path("web", {"HOME": "/home/me"}) == Path("/home/me/.local/state/pyd/shell/web.history")


def test_lines_are_kept_except_blanks_and_repetitions(tmp_path: Path):
    path = tmp_path / "new/web.history"
    history = TargetHistory(path)
    for line in ("ls", "ls", " secret", "", "for x in a; do\necho $x\ndone", "caf\udce9"):
        history.append_string(line)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(TargetHistory(path).load_history_strings()) == ["caf?", "for x in a; do\necho $x\ndone", "ls"]


def test_a_file_that_grew_too_large_loses_its_older_half(tmp_path: Path):
    path = tmp_path / "web.history"
    path.write_text("".join(f"\n# 2026-01-01\n+line {number}\n" for number in range(MAX_FILE_BYTES // 20)))
    lines = list(TargetHistory(path).load_history_strings())
    assert path.stat().st_size <= MAX_FILE_BYTES
    assert lines[0] == f"line {MAX_FILE_BYTES // 20 - 1}"
    assert all(line.startswith("line ") for line in lines)


def test_a_history_that_cant_be_written_lasts_as_long_as_the_shell(tmp_path: Path):
    (tmp_path / "file").touch()
    history = TargetHistory(tmp_path / "file/web.history")
    history.append_string("ls")
    assert history.get_strings() == ["ls"]
    assert list(history.load_history_strings()) == []
