"""The standard streams of a session: copied between pipes of its own and what the client was started with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from pyd_core.debug import streams

SCRIPT = """
import os, subprocess, sys
from pyd_core.debug.streams import SessionStreams
streams = SessionStreams()
stdin, stdout, stderr = streams.theirs
status, ended = os.pipe()
child = subprocess.Popen(sys.argv[1:], stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=[ended])
os.close(ended)
streams.release()
streams.run(status, lambda: not os.read(status, 1))
sys.exit(child.wait() % 256)
"""


Stream = int | IO[bytes] | None


def carried(
    *command: str, stdin: Stream = None, stdout: Stream = None, stderr: Stream = None
) -> subprocess.Popen[bytes]:
    """Run a command with the streams of a session."""
    whole = [sys.executable, "-c", SCRIPT, *command]
    return subprocess.Popen(whole, stdin=stdin, stdout=stdout, stderr=stderr)


def test_every_byte_arrives_and_the_end_of_the_input_does(tmp_path: Path):
    data = os.urandom(5_000_001)
    with carried("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.communicate(data)[0] == data
    assert process.returncode == 0
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        carried("cat", stdin=source, stdout=sink).wait()
    assert (tmp_path / "out").read_bytes() == data


def test_a_file_that_is_appended_to_is(tmp_path: Path):
    (tmp_path / "log").write_text("before\n")
    with (tmp_path / "log").open("ab") as log:
        carried("sh", "-c", "echo one; echo two >&2; echo three", stdout=log, stderr=log).wait()
    assert (tmp_path / "log").read_text() == "before\none\ntwo\nthree\n"


def test_output_and_complaints_stay_in_order_where_both_go_to_one_place():
    line = "for each in 1 2 3 4 5 6 7 8 9; do echo $each; echo $each >&2; done"
    with carried("sh", "-c", line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.communicate()[0].split() == [b"%d" % number for number in range(1, 10) for _ in range(2)]


def test_a_command_hears_that_nobody_reads_what_it_prints():
    with carried("sh", "-c", "trap 'exit 7' PIPE; while echo y; do :; done", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert process.wait(60) == 7


def test_who_goes_on_writing_when_the_session_is_over_doesnt_hold_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A target that may trace takes the pipe from the command, and outlives the session."""
    source, writer = os.pipe()
    os.write(writer, b"printed")
    is_ready = streams._is_ready

    def is_ready_and_written_to(descriptor: int, events: int, milliseconds: int | None) -> bool:
        os.write(writer, b"more")
        return is_ready(descriptor, events, milliseconds)

    monkeypatch.setattr(streams, "_is_ready", is_ready_and_written_to)
    with (tmp_path / "out").open("wb") as sink:
        streams._Copy(source, sink.fileno(), own=source).finish()
    os.close(writer)
    assert (tmp_path / "out").read_bytes() in {b"printed", b"printedmore"}


def test_a_client_hears_that_its_command_reads_no_more():
    with carried("head", "-c", "1", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        with pytest.raises(BrokenPipeError):
            process.stdin.write(bytes(100 << 20))
        assert process.communicate()[0] == b"\0"
    assert process.returncode == 0


def test_one_stream_that_nobody_empties_does_not_hold_the_other_up():
    line = "head -c 4000000 /dev/zero & echo there >&2; wait"
    with carried("sh", "-c", line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == b"there\n"
        assert len(process.stdout.read()) == 4_000_000


def test_a_stream_that_was_closed_is_none():
    script = 'exec <&-; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-c", SCRIPT, "cat"], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, b""), done.stderr


def test_nothing_that_the_client_was_started_with_is_handed_over():
    """A program in a container kept the terminal, and read what was typed into it after the session."""
    with carried(
        "readlink", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        own = str(Path(f"/proc/self/fd/{process.stdout.fileno()}").readlink())
        links = process.communicate()[0].decode().split()
    assert len(links) == 3
    assert own not in links
    assert all(link.startswith("pipe:") for link in links)
