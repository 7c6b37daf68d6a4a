from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyd_core.debug.inspectors.dns import Resolver, candidates, decode_answer, encode_query, parse_resolver
from pyd_core.errors import InvalidInput

HEAD = struct.pack(">6H", 7, 0x8180, 1, 2, 0, 0)
QUESTION = b"\x03web\x07example\0" + struct.pack(">2H", 1, 1)
ALIAS = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 4) + b"\x01x\xc0\x10"
ADDRESS = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 30, 4) + bytes((10, 0, 0, 5))


def test_an_answer_is_read_with_its_pointers():
    result, (alias, address) = decode_answer(HEAD + QUESTION + ALIAS + ADDRESS, 7)
    assert result == "ok"
    assert (alias.type, alias.value) == ("CNAME", "x.example")
    assert (address.name, address.type, address.value, address.ttl) == ("web.example", "A", "10.0.0.5", 30)


def test_a_name_that_points_to_itself_ends():
    with pytest.raises(InvalidInput, match="without an end"):
        decode_answer(struct.pack(">6H", 7, 0x8180, 1, 0, 0, 0) + b"\xc0\x0c" + bytes(4), 7)


def test_an_answer_to_another_query_is_none():
    with pytest.raises(InvalidInput):
        decode_answer(HEAD + QUESTION, 8)


@given(st.binary(max_size=200))
def test_no_answer_whatever_does_more_than_make_no_sense(data: bytes):
    with contextlib.suppress(InvalidInput, struct.error, IndexError):
        decode_answer(struct.pack(">H", 7) + b"\x80" + data, 7)


def test_what_can_be_asked_and_what_not():
    assert encode_query("db", 1, 7)[12:] == b"\x02db\0" + struct.pack(">2H", 1, 1)
    assert b"xn--bcher-kva" in encode_query("bücher.example", 1, 7)
    for name in ("", "a..b", "x" * 64, ".".join(["abcdefgh"] * 40)):
        with pytest.raises(InvalidInput):
            encode_query(name, 1, 7)


def test_resolv_conf_as_the_c_library_reads_it():
    lines = ("# c", "nameserver 10.0.0.2 ; x", "search old", "search a.example b.example", "options ndots:2 timeout:1")
    resolver = parse_resolver("\n".join((*lines, "nameserver 10.0.0.3")))
    assert resolver.servers == ("10.0.0.2", "10.0.0.3")
    assert resolver.search == ("a.example", "b.example")
    assert resolver.ndots == 2
    assert parse_resolver("") == Resolver(servers=("127.0.0.1",))
    assert candidates("db", resolver) == ["db.a.example", "db.b.example", "db"]
    assert candidates("a.b.c", resolver)[0] == "a.b.c"
    assert candidates("db.", resolver) == ["db"]
