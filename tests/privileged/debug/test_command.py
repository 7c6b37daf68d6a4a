"""Commands given on the command line: arguments, streams, exit codes, signals."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from support.debugging import Run, command


@pytest.mark.parametrize(
    ("line", "code"), [("exit 37", 37), ("true", 0), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
)
def test_the_exit_code_is_the_commands(debug: Run, locked: str, line: str, code: int):
    done = debug(locked, "-c", line)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_arguments_arrive_exactly(debug: Run, locked: str):
    odd = ["a b", "q'\"x", "$HOME", "`id`", "n\nl", "*", "", "\\", "-c", "--", "ünï"]
    done = debug(locked, "--", "printf", "[%s]", *odd)
    assert done.stdout == "".join(f"[{text}]" for text in odd)
    assert done.stderr == ""


def test_a_line_arrives_exactly(debug: Run, locked: str):
    done = debug(locked, "-c", "printf '%s|' \"a  b\" '$x' \"it's\"\nprintf '%s' \"second\nline\"")
    assert done.stdout == "a  b|$x|it's|second\nline"


def test_stdin_goes_to_the_command_and_output_comes_apart(debug: Run, locked: str):
    done = debug(locked, "-c", "cat; echo complaint >&2", stdin="one\ntwo")
    assert (done.stdout, done.stderr) == ("one\ntwo", "complaint\n")


def test_a_shell_without_a_terminal_reads_its_script_from_stdin(debug: Run, locked: str):
    done = debug(locked, stdin="echo from a script\nexit 5\n")
    assert (done.stdout, done.stderr, done.returncode) == ("from a script\n", "", 5)


def test_binary_data_passes_both_ways(locked: str):
    data = bytes(range(256)) * 4096
    done = subprocess.run(command(locked, "--", "cat"), input=data, capture_output=True, check=False, timeout=60)
    assert done.stdout == data


def test_an_unknown_command_is_127_and_a_file_that_is_no_program_126(debug: Run, locked: str):
    missing = debug(locked, "--", "no-such-tool")
    assert missing.returncode == 127
    assert "no-such-tool: no such command" in missing.stderr
    assert "Traceback" not in missing.stderr
    refused = debug(locked, "--", "/etc/hosts")
    assert refused.returncode == 126
    assert "can't be executed" in refused.stderr


def test_failures_of_pyds_own_are_125_with_the_next_step(debug: Run, locked: str):
    unknown = debug(f"{locked}x", "-c", "true")
    assert unknown.returncode == 125
    assert "did you mean " in unknown.stderr
    assert locked in unknown.stderr.partition("did you mean ")[2]
    identity = debug("--as", "nobody-here", locked, "-c", "true")
    assert identity.returncode == 125
    assert "--as UID[:GID]" in identity.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_pyd_reaches_the_command(locked: str, number: signal.Signals):
    with subprocess.Popen(
        command(locked, "-c", f"trap 'echo caught; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.1; done"),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, number)
        assert process.stdout.read() == "caught\n"
        assert process.wait(30) == 9


def test_no_descriptor_of_pyds_reaches_the_command(locked: str, debug: Run):
    done = debug(locked, "--", "ls", "/proc/self/fd", close_fds=False)
    assert done.stdout.split() == ["0", "1", "2", "3"]  # 3 is the folder being listed


def test_a_warm_start_loads_no_event_loop_and_nothing_that_draws(locked: str):
    start, *rest = command(locked, "-c", "true")
    done = subprocess.run([start, "-X", "importtime", *rest], capture_output=True, text=True, check=True, timeout=60)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyd_core.debug.sessions.session" in loaded
    heavy = {"asyncio", "httpx", "rich", "textual", "prompt_toolkit", "subprocess", "hashlib"}
    assert not {"pyd_core.debug.join", *heavy} & loaded
