"""`pyd exec` on a real engine."""

from __future__ import annotations

import os
import re

import psutil
import pytest

from support.docker import Docker
from support.pyd import Run
from support.terminal import Opener

PLAIN = ("--network", "none")


@pytest.fixture(scope="module")
def target(docker: Docker, busybox: str) -> str:
    return docker.run("exec", busybox, "sleep", "100000", options=PLAIN)


@pytest.mark.parametrize("code", [0, 1, 37, 125, 255])
def test_the_exit_code_is_the_commands(run: Run, target: str, code: int):
    assert run("exec", target, "sh", "-c", f"exit {code}").returncode == code


def test_a_signal_is_told_as_shells_do(run: Run, target: str):
    assert run("exec", target, "sh", "-c", "kill -9 $$").returncode == 137


def test_standard_and_error_output_stay_apart(run: Run, target: str):
    done = run("exec", target, "sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_arguments_arrive_exactly(run: Run, target: str):
    strange = ["a b", "'", '"', "$HOME", "*", "", "-x", "--", "ünï", "line\nbreak"]
    done = run("exec", target, "sh", "-c", 'for a; do printf "<%s>" "$a"; done', "sh", *strange)
    assert done.stdout == "".join(f"<{text}>" for text in strange)


def test_input_is_passed_on_byte_for_byte_only_when_asked(
    run: Run, target: str, tmp_path_factory: pytest.TempPathFactory
):
    data = os.urandom(300_000)
    done = run("exec", "-i", target, "cat", stdin=data)
    assert done.stdout.encode(errors="surrogateescape") == data
    assert run("exec", target, "cat", stdin=b"unread").stdout == ""


def test_user_directory_and_variables_are_set(run: Run, target: str):
    script = "id -u; pwd; echo $ONE $TWO; echo ${THREE-unset}"
    done = run(
        *("exec", "-u", "1000", "-w", "/tmp", "-e", "ONE=1", "-e", "TWO", "-e", "THREE"),
        *(target, "sh", "-c", script),
        TWO="from here",
    )
    assert done.stdout.splitlines() == ["1000", "/tmp", "1 from here", "unset"]


def test_privileged_has_all_capabilities(run: Run, target: str):
    def effective(*options: str) -> int:
        output = run("exec", *options, target, "grep", "CapEff", "/proc/self/status").stdout
        return int(output.split()[1], 16)

    assert effective("--privileged") > effective()


def test_detached_it_goes_on_without_us(run: Run, docker: Docker, target: str):
    assert run("exec", "-d", target, "sh", "-c", "echo done > /tmp/detached").returncode == 0
    for _ in range(50):
        if docker("exec", target, "cat", "/tmp/detached", check=False) == "done":
            return
    pytest.fail("the detached command never ran")


@pytest.mark.parametrize(
    ("command", "code", "reference"),
    [("no-such-program", 127, "command-not-found"), ("/tmp", 126, "command-not-executable")],
)
def test_a_program_that_cannot_run_is_told_and_another_way_offered(
    run: Run, target: str, command: str, code: int, reference: str
):
    done = run("exec", target, command)
    assert done.returncode == code
    assert done.stdout == ""
    assert f"[{reference}]" in done.stderr
    assert f"pyd debug {target}" in done.stderr


def test_failures_of_our_own_are_125(run: Run, docker: Docker, target: str, busybox: str):
    stopped = docker.create("stopped", busybox, "true", options=PLAIN)
    for arguments in (["no-such-container", "true"], [stopped, "true"], ["-it", target, "sh"]):
        done = run("exec", *arguments)
        assert done.returncode == 125
        assert len(done.stderr.splitlines()) == 2
    assert f"pyd debug {stopped}" in run("exec", stopped, "true").stderr


def test_a_shell_in_a_terminal_knows_its_size_follows_it_and_gives_the_terminal_back(
    run: Run, target: str, terminal: Opener
):
    script = (
        f'before=$(stty -g); "$0" exec -it {target} sh; echo code $?; '
        'test "$before" = "$(stty -g)" && echo same; exec cat'
    )
    shell = terminal(["sh", "-c", script, run.pyd], size=(90, 25), env=run.host)
    shell.wait_for("#")
    # The size arrives a moment after the start, so the shell is asked until it knows.
    shell.type("until [ \"$(stty size 2>&-)\" = '25 90' ]; do sleep 0.1; done; echo size''d")
    shell.keys("Enter")
    shell.wait_for("sized")
    shell.resize(70, 30)
    shell.type("until [ \"$(stty size 2>&-)\" = '30 70' ]; do sleep 0.1; done; echo re''sized")
    shell.keys("Enter")
    shell.wait_for("resized")
    # What is to be interrupted says itself that it runs: before, the interrupt may still be the shell's.
    shell.type("sh -c 'echo sl\"\"eeping; exec sleep 1000'")
    shell.keys("Enter")
    shell.wait_for("sleeping")
    shell.keys("C-c")
    shell.type("echo int''errupted $?; exit 7")
    shell.keys("Enter")
    shell.wait_for("interrupted 130")
    shell.wait_for("code 7")
    shell.wait_for(re.compile("^same", re.MULTILINE))


def test_the_detach_keys_leave_it_running(run: Run, docker: Docker, target: str, terminal: Opener):
    shell = terminal([run.pyd, "exec", "-it", target, "sh", "-c", "echo up; exec sleep 4242"], env=run.host)
    shell.wait_for("up")
    shell.keys("C-p", "C-q")
    assert shell.wait_exit() == 0
    assert "keeps running" in shell.screen
    assert "sleep 4242" in docker("top", target)


def test_a_signal_that_ends_it_gives_the_terminal_back(run: Run, target: str, terminal: Opener):
    script = (
        f'before=$(stty -g); "$0" exec -it {target} sh -c "echo up; exec sleep 3131"; echo code $?; '
        'test "$before" = "$(stty -g)" && echo same; exec cat'
    )
    shell = terminal(["sh", "-c", script, run.pyd], env=run.host)
    shell.wait_for("up")
    (child,) = psutil.Process(shell.pid).children()
    child.terminate()
    shell.wait_for("code 143")
    shell.wait_for(re.compile("^same", re.MULTILINE))
