from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyd_core import systemd
from pyd_core.errors import ConfigError
from pyd_core.watch.recorder_service import RecorderService

HOSTILE = 'notify "$USER" 100%\nExecStartPre=/bin/evil'


def test_what_is_put_into_the_unit_stays_one_word(tmp_path: Path) -> None:
    text = RecorderService(["--on-death", HOSTILE], {"PYD_HISTORY": "/x y/h.db"}).unit
    (line,) = [line for line in text.splitlines() if line.startswith("Exec")]
    assert line == (
        f"ExecStart={sys.executable} -I -m pyd_tui record --quiet --on-death "
        r'"notify \"$$USER\" 100%% ExecStartPre=/bin/evil"'
    )
    assert 'Environment="PYD_HISTORY=/x y/h.db"' in text.splitlines()


def test_systemd_itself_finds_no_fault_with_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze isn't here")
    unit = tmp_path / "pyd-record.service"
    unit.write_text(RecorderService(["--on-death", HOSTILE], {}).unit)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert str(unit) not in done.stderr


def test_it_is_written_and_where_no_systemd_runs_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "BOOTED", tmp_path / "none")
    monkeypatch.setattr(RecorderService, "path", tmp_path / "units/pyd-record.service")
    item = RecorderService((), {})
    assert "nothing was started" in item.install()
    assert item.path.read_text() == item.unit
    monkeypatch.setattr(RecorderService, "path", Path("/proc/nowhere/pyd-record.service"))
    with pytest.raises(ConfigError, match="can't write"):
        item.install()
