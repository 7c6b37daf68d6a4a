"""Bash as it is, in a real pseudo-terminal: what `--shell bash` gives."""

from __future__ import annotations

import termios
from collections.abc import Iterator

import pexpect
import pytest

from support.debugging import command
from support.docker import Docker

PROMPT = r":/[^ ]*[#$] "


@pytest.fixture
def shell(locked: str) -> Iterator[pexpect.spawn]:
    program, *arguments = command("--shell", "bash", locked)
    child = pexpect.spawn(
        program, arguments, encoding="utf-8", codec_errors="replace", timeout=120, dimensions=(30, 100), env=None
    )
    try:
        child.expect(f"{locked}.*{PROMPT}")
        yield child
    finally:
        child.close(force=True)


def ask(shell: pexpect.spawn, line: str, answer: str) -> None:
    shell.sendline(line)
    shell.expect(answer)
    shell.expect(PROMPT)


def test_the_beginning_says_where_one_is(locked: str):
    program, *arguments = command("--shell", "bash", locked)
    child = pexpect.spawn(program, arguments, encoding="utf-8", codec_errors="replace", timeout=120)
    child.expect(f"in {locked}: you see the container's files")
    child.expect(PROMPT)
    child.sendline("exit 4")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4


def test_the_shell_has_a_terminal_of_its_own_with_job_control(shell: pexpect.spawn):
    ask(shell, "tty", r"/dev/pts/0\r\n")
    ask(shell, "ls /dev/pts | tr '\\n' ' '", "0 ptmx ")
    # It says itself that the terminal is its own (fields 5 and 8 of proc_pid_stat(5)): before, ctrl-z is for the shell.
    waits = "until read -r a b c d group e f front g </proc/$$/stat; [ $group = $front ]; do sleep 0.1; done"
    # With exec: one that stops between a shell's vfork and its exec keeps the shell from stopping.
    ask(shell, f"sh -c '{waits}; echo in front; exec sleep 1000' & jobs", r"\[1\]\+  Running")
    shell.sendline("fg")
    shell.expect(r"in front\r\n")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect(PROMPT)
    ask(shell, "kill %1; wait; echo ended", "ended")


def test_control_c_interrupts_the_program_and_not_the_shell(shell: pexpect.spawn):
    # Said by the program itself: before it has the terminal, control-c would be for the shell.
    shell.sendline("sh -c 'echo here; exec sleep 1000'")
    shell.expect(r"here\r\n")
    shell.sendcontrol("c")
    shell.expect(PROMPT)
    ask(shell, "echo status $?", "status 130")


def test_size_and_its_changes_reach_the_shell(shell: pexpect.spawn):
    ask(shell, "stty size", r"30 100\r\n")
    shell.sendline("trap 'echo resized' WINCH; echo armed")
    shell.expect(r"armed\r\n")
    shell.setwinsize(41, 133)
    shell.expect("resized")
    ask(shell, "stty size", r"41 133\r\n")


def test_screen_programs_work(shell: pexpect.spawn):
    shell.sendline("vim -c 'set nomore' /etc/hosts")
    shell.expect(r"\x1b\[\?1049h")
    shell.send("\x1b:q!\r")
    shell.expect(r"\x1b\[\?1049l")
    shell.expect(PROMPT)
    ask(shell, "infocmp -1 tmux-256color | head -2 | tail -1", "tmux-256color")


def test_screen_programs_and_the_shell_leave_no_histories(docker: Docker, busybox: str):
    name = docker.run("histories-tty", busybox, "sleep", "1000", options=("-e", "HOME=/etc"))
    before = docker("diff", name)
    program, *arguments = command("--shell", "bash", name)
    child = pexpect.spawn(program, arguments, encoding="utf-8", codec_errors="replace", timeout=120)
    child.expect(PROMPT)
    child.sendline("@vim /etc/hosts")
    child.expect(r"\x1b\[\?1049h")
    child.send("/local\r:q!\r")
    child.expect(r"\x1b\[\?1049l")
    child.expect(PROMPT)
    child.sendline("@less /etc/hosts")
    child.send("/local\rq")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    child.close()
    assert docker("diff", name) == before


def test_the_terminal_is_as_before_when_the_session_ends(locked: str):
    child = pexpect.spawn("/bin/sh", encoding="utf-8", codec_errors="replace", timeout=120)
    child.setecho(False)
    before = termios.tcgetattr(child.child_fd)
    child.sendline(" ".join(command("--shell", "bash", locked)) + "; echo back $?")
    child.expect(PROMPT)
    assert termios.tcgetattr(child.child_fd)[:4] != before[:4]
    child.sendline("kill -9 $$")
    child.expect(r"back 137")
    assert termios.tcgetattr(child.child_fd)[:4] == before[:4]
    child.close(force=True)
