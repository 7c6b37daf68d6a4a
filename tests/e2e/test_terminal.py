"""The tests' own terminal, on which the other end-to-end tests depend."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest

from support.missing import missing
from support.terminal import Opener

SHELL = ("sh", "-c")


def test_text_typed_reaches_the_program_and_its_answer_the_screen(terminal: Opener):
    shell = terminal([*SHELL, 'printf "name? "; read -r name; echo "hello $name"; exec cat'])
    shell.wait_for("name?")
    shell.type('it\'s "ünïcode" $HOME; x')
    shell.keys("Enter")
    assert 'hello it\'s "ünïcode" $HOME; x' in shell.wait_for(re.compile("hello .* x"))


def test_the_exit_code_and_a_signal_are_told_apart_and_the_last_screen_stays(terminal: Opener):
    left = terminal([*SHELL, "echo last words; exit 37"])
    assert left.wait_exit() == 37
    assert "last words" in left.screen
    killed = terminal([*SHELL, "kill -KILL $$"])
    assert killed.wait_exit() == -signal.SIGKILL


def test_a_wait_that_fails_shows_the_screen(terminal: Opener):
    shell = terminal([*SHELL, "echo something else; exec cat"])
    shell.wait_for("something else")
    with pytest.raises(AssertionError, match="something else"):
        shell.wait_for("never", bound=0.2)


def test_a_full_screen_program_gives_the_screen_back(terminal: Opener):
    shell = terminal([*SHELL, r"printf 'before\n\033[?1049h\033[Hinside'; read x; printf '\033[?1049l'; exec cat"])
    shell.wait_for("inside")
    assert shell.alternate
    shell.keys("Enter")
    assert "before" in shell.wait_gone("inside")
    assert not shell.alternate


def test_the_size_asked_for_is_the_size_seen(terminal: Opener):
    shell = terminal([*SHELL, "trap 'stty size' WINCH; stty size; while :; do read x; done"], size=(97, 23))
    shell.wait_for("23 97")
    shell.resize(60, 20)
    shell.wait_for("20 60")


def test_a_screen_becomes_a_picture(terminal: Opener, tmp_path: Path):
    if shutil.which("rsvg-convert") is None:
        missing("rsvg-convert (librsvg2-bin)")
    shell = terminal([*SHELL, r"printf '\033[1;38;2;250;120;10morange\033[0m │ plain\n'; exec cat"], size=(40, 5))
    shell.wait_for("plain")
    assert "#fa780a" in shell.svg()
    assert shell.png(tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
