"""Requests of bash for builtins; all of it may be a lie."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from pyd_core.debug.builtin_calls import NEXT, BuiltinRequest, BuiltinRequests, frame, functions

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
