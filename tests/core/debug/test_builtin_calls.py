"""Requests of bash for builtins; all of it may be a lie."""

from __future__ import annotations

import os
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from pyd_core.debug.builtin_calls import (
    CALLS,
    MAX_FRAME_BYTES,
    NEXT,
    BuiltinRequest,
    BuiltinRequests,
    end_frame,
    frame,
    functions,
)
from pyd_core.debug.toolbox import PREFIX

PIPE_BYTES = 65536
CALL = b"c\0i12\0nfiles\0t1\0d/a b\0a-S\0a\0a/x y\nz\0\0"


def test_a_request_is_read_in_whatever_pieces_it_comes():
    request = BuiltinRequest("files", "12", ("-S", "", "/x y\nz"), terminal=True, cwd="/a b")
    requests = BuiltinRequests()
    assert [message for byte in CALL + b"n\0\0" for message in requests.feed(bytes([byte]))] == [request, NEXT]


def test_an_id_that_would_forge_frames_is_replaced():
    (request,) = BuiltinRequests().feed(b"c\0i1 5\ne 1 0\0nps\0\0")
    assert isinstance(request, BuiltinRequest)
    assert frame(request, "o", b"text") == b"o 0 4\ntext"


@given(st.binary())
def test_any_bytes_are_survived(data: bytes):
    for request in BuiltinRequests().feed(data + b"\0\0"):
        assert request == NEXT or (isinstance(request, BuiltinRequest) and request.cwd.startswith("/"))


def test_the_functions_are_valid_bash_and_too_long_a_request_is_dropped():
    subprocess.run(["bash", "-n"], input=functions(["net", "ps"]), check=True)
    requests = BuiltinRequests()
    assert requests.feed(b"c\0" + b"x" * (1 << 20)) == []
    assert requests.feed(b"\0\0" + CALL)[-1] == BuiltinRequest(
        "files", "12", ("-S", "", "/x y\nz"), terminal=True, cwd="/a b"
    )


def test_bash_writes_every_byte_of_an_answer_and_skips_what_a_killed_call_left():
    everything = bytes(range(256)) * 40
    text = functions(["ps"]).decode().replace(f"{PREFIX}/bin/", "/usr/bin/") + "ps -a\necho code=$?\n"
    answers, to_bash = os.pipe()
    from_bash, requests = os.pipe()
    ends = {answers: CALLS[0], requests: CALLS[1]}
    redirections = " ".join(
        f"{number}<&{end}" if end == answers else f"{number}>&{end}" for end, number in ends.items()
    )
    with subprocess.Popen(
        ["bash", "-c", f'exec {redirections}; eval "$1"', "bash", text],
        stdout=subprocess.PIPE, pass_fds=tuple(ends), env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    ) as bash:  # fmt: skip
        for end in ends:
            os.close(end)
        reader = BuiltinRequests()
        messages: list[BuiltinRequest | str] = []
        while not messages:  # it comes in pieces
            messages = reader.feed(os.read(from_bash, 4096))
        request = messages[0]
        assert isinstance(request, BuiltinRequest)
        assert (request.name, request.arguments, request.escaped) == ("ps", ("-a",), True)
        os.write(to_bash, b"x 99 30\nan old line\no 99 1" + frame(request, "o", everything))
        assert reader.feed(os.read(from_bash, 4096)) == [NEXT]
        os.write(to_bash, end_frame(request, 7))
        assert bash.stdout is not None
        assert bash.stdout.read() == everything + b"code=7\n"
    for end in (from_bash, to_bash):
        os.close(end)
    assert len(frame(request, "o", b"\0" * MAX_FRAME_BYTES)) < PIPE_BYTES
    assert frame(BuiltinRequest("ps", "1"), "o", b"a\\b\0") == b"o 1 4\na\\b\0"  # a session of an older version
