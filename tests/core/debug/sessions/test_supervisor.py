"""A supervisor's handling of a keeper's reports: a target may have taken the keeper over, and send anything."""

from __future__ import annotations

import os
import socket

import pytest

from pyd_core.debug.sessions.cgroups import SessionCgroups
from pyd_core.debug.sessions.supervisor import Watch, make_link


def relayed(*messages: bytes) -> list[bytes]:
    """Return the messages to the client after the joiner has named its keeper, which sends these."""
    link, keeper = make_link()
    status, client = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with link, keeper, status, client:
        client.setblocking(False)
        watch = Watch(os.getpid(), link, status, -1, SessionCgroups())
        keeper.send(b"keeper\0" + str(os.getpid()).encode())
        for message in messages:
            keeper.send(message)
        while watch._hear():
            pass
        received = []
        while True:
            try:
                received.append(client.recv(65536))
            except BlockingIOError:
                return received


def test_what_a_keeper_has_to_say_is_passed_on():
    reports = [b"untaken\0its filter\x0013", b"folder\x002", b"error\0execve\x002\0bash", b"exit\x00256"]
    assert relayed(*reports) == reports


@pytest.mark.parametrize(
    "message",
    [
        b"exit\0",
        b"exit\0-1",
        b"exit\x0065536",
        b"exit\x00999999999999999999999",
        b"exit\x001\x002",
        b"exit\0\xd9\xa1",
        b"terminal",
        b"ended",
        b"error\0execve\0x\0bash",
        b"error\0execve\x002",
        b"untaken\0a\x0099999",
        b"folder",
        b"\xff\xfe",
        b"x" * 5000,
        b"keeper\x001",
    ],
)
def test_what_makes_no_sense_is_not(message: bytes):
    assert relayed(message) == []


def test_a_keeper_says_once_how_the_command_ended():
    assert relayed(b"exit\x000", b"exit\x00256") == [b"exit\x000"]


def test_only_the_joiner_names_the_keeper():
    """A tracer of the keeper could name any process of this machine, which would then be signalled as root."""
    link, keeper = make_link()
    status, client = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with link, keeper, status, client:
        watch = Watch(os.getpid(), link, status, -1, SessionCgroups())
        impostor = os.fork()
        if impostor == 0:
            try:
                keeper.send(b"keeper\x001")
            finally:
                os._exit(0)
        os.waitpid(impostor, 0)
        assert watch._hear()
        assert watch._keeper == 0
        keeper.send(b"keeper\0" + str(os.getpid()).encode())
        assert watch._hear()
        assert watch._keeper == os.getpid()
