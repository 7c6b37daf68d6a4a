"""`pyd logs` on a real engine."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from support.docker import Docker
from support.pyd import Run
from support.terminal import Opener

PLAIN = ("--network", "none")

HOSTILE = r"""
printf 'plain\n'
printf '\033[31mred\033[0m then \033[2J\033]0;owned\007\n'
printf 'not utf-8: \377\376 c1: \302\233 bidi: \342\200\256\n'
head -c 3000000 /dev/zero | tr '\0' x; echo
printf 'unended'
"""


@pytest.fixture(scope="module")
def hostile(docker: Docker, busybox: str) -> str:
    name = docker.run("hostile", busybox, "sh", "-c", HOSTILE, options=PLAIN)
    docker("wait", name)
    return name


def _talker(docker: Docker, image: str, short: str, *lines: str, end: int = 0) -> str:
    script = "; ".join(f"sleep 0.1; echo {line}" for line in lines)
    return docker.run(short, image, "sh", "-c", f"{script}; exit {end}", options=PLAIN)


def test_standard_and_error_output_are_both_shown_and_the_last_lines_can_be_asked_for(
    run: Run, docker: Docker, busybox: str
):
    name = docker.run("both", busybox, "sh", "-c", "echo out; sleep 0.1; echo err >&2", options=PLAIN)
    docker("wait", name)
    assert run("logs", name).stdout == "out\nerr\n"
    assert run("logs", "-n", "1", name).stdout == "err\n"
    assert run("logs", "-n", "0", name).stdout == ""
    assert run("logs", "--tail", "all", name).stdout == "out\nerr\n"


def test_whoever_follows_on_a_terminal_is_told_why_it_ended(run: Run, docker: Docker, busybox: str, terminal: Opener):
    script = "echo ready; while ! [ -e /tmp/go ]; do sleep 0.1; done; echo 'sh: TOKEN: parameter not set' >&2; exit 2"
    name = docker.run("obituary", busybox, "sh", "-c", script, options=PLAIN)
    shown = terminal([run.pyd, "logs", "-f", name], env=run.host)
    shown.wait_for("ready")
    docker("exec", name, "touch", "/tmp/go")
    shown.wait_for("ended: missing-env")
    assert shown.wait_exit() == 0
    piped = run("logs", "-f", name)
    assert "ended:" not in piped.stdout + piped.stderr


def test_several_are_merged_in_the_order_of_time_with_their_names(run: Run, docker: Docker, busybox: str):
    first = _talker(docker, busybox, "first", "1a", "1b", "1c")
    second = _talker(docker, busybox, "second-one", "2a", "2b", "2c")
    docker("wait", first, second)
    for follow in ((), ("-f",)):
        shown = run("logs", *follow, first, second).stdout.splitlines()
        assert len(shown) == 6
        assert {line.partition(" |")[0].strip() for line in shown} == {first, second}
        assert len({line.index("|") for line in shown}) == 1
    lines = [json.loads(line) for line in run("logs", "--json", first, second).stdout.splitlines()]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert {line["message"] for line in lines} == {"1a", "1b", "1c", "2a", "2b", "2c"}


def test_since_until_and_timestamps_speak_of_the_same_times(run: Run, docker: Docker, busybox: str):
    name = _talker(docker, busybox, "timed", "one", "two", "three")
    docker("wait", name)
    lines = run("logs", "-t", name).stdout.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \w+$", line) for line in lines)
    second = lines[1].split()[0]
    assert run("logs", "--since", second, name).stdout == "two\nthree\n"
    assert run("logs", "--since", "1h", name).stdout == "one\ntwo\nthree\n"
    assert run("logs", "--until", second, name).stdout.startswith("one\n")
    assert "three" not in run("logs", "--until", second, name).stdout


def test_hostile_output_reaches_a_pipe_without_anything_a_terminal_acts_on(run: Run, hostile: str):
    lines = run("logs", hostile).stdout.splitlines()
    assert lines[0] == "plain"
    assert lines[1] == "red then ␛[2J␛]0;owned␇"
    assert lines[2] == "not utf-8: \ufffd\ufffd c1: \ufffd bidi: \ufffd"
    assert lines[3].startswith("xxx")
    assert lines[3].endswith(f"({3_000_000 - 2**20} bytes cut)")
    assert lines[4] == "unended"


def test_hostile_output_leaves_a_terminal_as_it_was(run: Run, hostile: str, terminal: Opener):
    shown = terminal(
        ["sh", "-c", f'"$0" logs {hostile} | cut -c 1-60; "$0" logs -n 1 {hostile}; echo after', run.pyd], env=run.host
    )
    assert shown.wait_exit() == 0
    lines = shown.screen.rstrip().splitlines()
    assert lines[:2] == ["plain", "red then ␛[2J␛]0;owned␇"]
    assert lines[-2:] == ["unended", "after"]


def test_the_containers_colour_reaches_a_terminal_and_ends_with_its_line(
    run: Run, docker: Docker, busybox: str, terminal: Opener
):
    script = r"printf '\033[31mred\nplain\n'"
    name = docker.run("colour", busybox, "sh", "-c", script, options=PLAIN)
    docker("wait", name)
    shown = terminal([run.pyd, "logs", name], env=run.host)
    assert shown.wait_exit() == 0
    assert re.search(r"\x1b\[31mred.*\x1b\[(0|39)?m\s*plain", shown.ansi, re.DOTALL)


def test_following_ends_with_the_container_and_shows_lines_as_they_come(run: Run, docker: Docker, busybox: str):
    name = docker.run("followed", busybox, "sh", "-c", "echo ready; read x; echo got $x", options=("-i", *PLAIN))
    follow = subprocess.Popen([run.pyd, "logs", "-f", name], stdout=subprocess.PIPE, env=run.env, text=True)
    assert follow.stdout is not None
    assert follow.stdout.readline() == "ready\n"
    subprocess.run([*docker.command, "attach", name], input=b"it\n", capture_output=True, check=False)
    assert follow.stdout.readline() == "got it\n"
    follow.communicate(timeout=120)
    assert follow.returncode == 0


def test_following_through_restarts_goes_on_until_it_is_removed(run: Run, docker: Docker, busybox: str):
    name = docker.create("again", busybox, "sh", "-c", "echo hello", options=PLAIN)
    docker("start", name)
    follow = subprocess.Popen([run.pyd, "logs", "-F", name], stdout=subprocess.PIPE, env=run.env, text=True)
    assert follow.stdout is not None
    assert follow.stdout.readline() == "hello\n"
    docker("wait", name)
    docker("start", name)
    assert follow.stdout.readline() == "hello\n"
    docker("rm", "-f", name)
    follow.communicate(timeout=120)
    assert follow.returncode == 0


def test_ctrl_c_ends_following_quietly(run: Run, docker: Docker, busybox: str, terminal: Opener):
    name = docker.run("waiting", busybox, "sh", "-c", "echo up; exec sleep 100000", options=PLAIN)
    shown = terminal([run.pyd, "logs", "-f", name, name], env=run.host)
    shown.wait_for("up")
    shown.keys("C-c")
    assert shown.wait_exit() == 130
    assert "Traceback" not in shown.history
    assert "pyd:" not in shown.history


def test_a_reader_that_has_enough_ends_it_quietly(run: Run, docker: Docker, busybox: str):
    name = docker.run("chatty", busybox, "yes", options=PLAIN)
    try:
        done = subprocess.run(
            ["sh", "-c", f'"$0" logs -f {name} | head -n 3', run.pyd],
            capture_output=True,
            text=True,
            check=False,
            env=run.env,
            timeout=60,
        )
    finally:
        docker("rm", "-f", name)
    assert (done.stdout, done.stderr) == ("y\ny\ny\n", "")


def test_two_containers_at_once_lose_no_line(run: Run, docker: Docker, busybox: str):
    count = 30_000
    names = [docker.create(f"fast{i}", busybox, "seq", str(count), options=PLAIN) for i in range(2)]
    docker("start", *names)
    shown = run("logs", "-f", *names).stdout
    for name in names:
        numbers = re.findall(rf"^{name} *\| (\d+)$", shown, re.MULTILINE)
        assert numbers == [str(number) for number in range(1, count + 1)]


def test_unknown_names_are_told_before_anything_is_printed(run: Run, hostile: str):
    done = run("logs", hostile, "no-such-one")
    assert (done.returncode, done.stdout) == (1, "")
    assert "[no-such-container]" in done.stderr


def test_grep_shows_what_grep_would_of_one_of_several_or_of_every_container(run: Run, docker: Docker, busybox: str):
    needle = docker.name("needle")
    script = "seq 1 200 | sed 's/^1*7$/& '$0/"
    names = [
        docker.run(f"hay{number}", busybox, "sh", "-c", script, f"{needle}-{number}", options=PLAIN)
        for number in range(5)
    ]
    docker("wait", *names)
    everywhere = run("logs", "--all", "-n", "300", "--grep", f"{needle}-[0-9]")
    by_hand = {
        f"{name}: {line}"
        for name in names
        for line in docker("logs", name).splitlines()
        if re.search(f"{needle}-[0-9]", line)
    }
    shown = {": ".join(part.strip() for part in line.split("|", 1)) for line in everywhere.stdout.splitlines()}
    assert shown == by_hand
    assert len(by_hand) == 15
    assert "15 lines found in" in everywhere.stderr
    assert run("logs", "--grep", needle.upper(), "-i", names[2]).stdout.split()[::2] == ["7", "17", "117"]
    nothing = run("logs", "--grep", "no such words", *names)
    assert (nothing.stdout, nothing.returncode) == ("", 1)
