"""The prompt as text."""

from __future__ import annotations

from pyd_core.debug.channel import JoinReport
from pyd_tui.shell.prompt import MAX_DIRECTORY_CHARACTERS, prompt_pieces, short_directory


def shown(report: JoinReport, state: str = "running", identity: str = "root", *, recording: bool = False) -> str:
    return "".join(text for _, text in prompt_pieces("web", state, report, identity=identity, recording=recording))


def test_it_shows_target_state_user_and_directory():
    assert shown(JoinReport(cwd="/etc")) == "web (running) root:/etc# "
    assert shown(JoinReport(cwd="/", uid=1000), "paused", "1000") == "web (paused) 1000:/$ "
    assert shown(JoinReport(uid=0), identity="target") == "web (running) target:/# "


def test_failures_jobs_and_a_recording_are_shown_only_when_there_are_any():
    assert shown(JoinReport(code=130, jobs=2), recording=True) == "● web (running) root:/ &2 [130]# "


def test_directories_are_short_and_safe():
    assert short_directory("/home/me/x", "/home/me") == "~/x"
    assert short_directory("/home/mean", "/home/me") == "/home/mean"
    assert short_directory("/", "/") == "/"
    assert short_directory("/a\x1b]0;x\x07\tb\n", "/root") == "/a␛]0;x␇␉b␊"
    assert len(short_directory("/x" * 100, "/")) == MAX_DIRECTORY_CHARACTERS


def test_an_invented_state_is_shown_safely():
    assert "\x1b" not in shown(JoinReport(), "run\x1b[31m")
