"""The programs of the debug container, run by this machine's shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pyd_core.debug.pod.keeper import KEEPER, session_command
from pyd_core.debug.pod.options import PodDebugOptions


def run(options: PodDebugOptions, state: Path, **target: object) -> subprocess.CompletedProcess[str]:
    command = session_command(options, container_id="", command_line=())
    command[command.index("/tmp/.pyd")] = str(state)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_line_sees_where_the_target_is_and_its_exit_code_is_kept(tmp_path: Path):
    done = run(PodDebugOptions(target="pod/x", line="echo $PYD_TARGET; exit 3"), tmp_path / "state")
    assert done.stdout == "/proc/1/root\n"
    assert done.returncode == 3


def test_arguments_reach_the_program_unchanged(tmp_path: Path):
    words = ("printf", "%s|", "a b", "$HOME", "; rm -rf /", "*", "'")
    done = run(PodDebugOptions(target="pod/x", command=words), tmp_path / "state")
    assert done.stdout == "a b|$HOME|; rm -rf /|*|'|"


def test_the_keeper_ends_once_no_session_is_left(tmp_path: Path):
    (tmp_path / "999999999").touch()
    done = subprocess.run(["sh", "-c", KEEPER, "keeper", str(tmp_path), "1", "1"], timeout=120, check=False)
    assert done.returncode == 0


def test_the_keeper_stays_while_a_session_runs(tmp_path: Path):
    session = subprocess.Popen(["sleep", "60"])
    (tmp_path / str(session.pid)).touch()
    keeper = subprocess.Popen(["sh", "-c", KEEPER, "keeper", str(tmp_path), "2", "1"])
    try:
        # It looks once a second: once the session's end is noticed, the file is gone, and not before.
        watched = (tmp_path / str(session.pid)).stat()
        assert watched.st_nlink == 1
        assert keeper.poll() is None
        session.kill()
        session.wait()
        assert keeper.wait(timeout=120) == 0
        assert not (tmp_path / str(session.pid)).exists()
    finally:
        session.kill()
        keeper.kill()
        keeper.wait()
