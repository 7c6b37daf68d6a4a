"""Forks of a shell that share its access through a helper container."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator

import msgspec
import pytest

from pyd_core.debug.helper import wire
from pyd_core.debug.helper.access import HelperAccess
from pyd_core.debug.helper.channels import Channels
from pyd_core.debug.helper.link import AgentLink, TargetFacts
from pyd_core.debug.helper.shared_access import AccessBroker
from pyd_core.debug.helper.tiers import TIERS
from pyd_core.debug.options import DebugOptions
from pyd_core.errors import Conflict, ProtocolError, PydError
from pyd_core.model.container import Container

STATUS = "Name:\tsh\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nSeccomp:\t0\n" + "".join(
    f"Cap{name}:\t0000000000000000\n" for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")
)
CONTAINER = msgspec.json.decode(
    b'{"Id": "f00", "Name": "/web", "State": {"Pid": 7}, "Config": {"Env": ["A=1"], "Labels": {"b": "c"}}}',
    type=Container,
)


class Agent:
    """The agent's end of a connection: it takes requests, and answers as the test says."""

    def __init__(self) -> None:
        self.socket, self.client = socket.socketpair()
        self._messages: list[tuple[bytes, int, bytes]] = []
        self._decoder = wire.MessageDecoder()

    def take(self, kind: bytes) -> tuple[int, bytes]:
        """Return the channel and the content of the next message, which has this kind."""
        while not self._messages:
            assert select.select([self.socket], [], [], 60)[0], "no message has come"
            self._messages += self._decoder.feed(self.socket.recv(65536))
        taken, number, content = self._messages.pop(0)
        assert taken == kind
        return number, content

    def send(self, kind: bytes, number: int, content: bytes = b"") -> None:
        data = wire.message(kind, number, content)
        self.socket.sendall(struct.pack(">B3xI", 1, len(data)) + data)


@pytest.fixture
def agent() -> Iterator[Agent]:
    agent = Agent()
    yield agent
    agent.socket.close()
    for thread in threading.enumerate():  # the readers of what the agent sends
        if thread.name == "helper":
            thread.join(60)
    agent.client.close()


@pytest.fixture
def access(agent: Agent) -> HelperAccess:
    facts = TargetFacts(
        pid=1, start=2, status=STATUS, uid_map="0 0 1", gid_map="0 0 1", own=STATUS, passwd=b"root:\xff", exists=[],
        tools=[], namespaces=[],
    )  # fmt: skip
    channels = Channels(AgentLink(agent.client, b"", "web"), "web")
    options = DebugOptions(target="web", path="container")
    return HelperAccess(CONTAINER, CONTAINER, channels, options=options, tier=TIERS[3], facts=facts)


def test_a_fork_knows_the_target_and_runs_programs_by_the_connection_of_its_parent(agent: Agent, access: HelperAccess):
    broker = AccessBroker(lambda: access)
    own = access.start(["/bin/own"])
    numbers = [agent.take(b"R")[0]]
    with broker.connect() as shared:
        assert (shared.container, shared.facts, shared.options) == (CONTAINER, access.facts, access.options)
        first, second = shared.start(["/bin/first"]), shared.start(["/bin/second"])
        for name in ("first", "second"):
            taken, plan = agent.take(b"R")
            assert json.loads(plan)["argv"] == [f"/bin/{name}"]
            numbers.append(taken)
        assert len(set(numbers)) == 3
        for taken, text in zip(numbers, (b"own", b"first", b"second"), strict=True):
            agent.send(b"o", taken, text)
            agent.send(b"m", taken, b"exit\x00512")
            agent.send(b"z", taken)
        assert [process.finish().stdout for process in (second, first, own)] == [b"second", b"first", b"own"]
        assert first.finish().code == 2
    broker.close()


def test_the_programs_of_a_fork_that_was_killed_are_killed(agent: Agent, access: HelperAccess):
    broker = AccessBroker(lambda: access)
    pid = os.fork()
    if pid == 0:
        try:
            with broker.connect() as shared:
                shared.start(["/bin/endless"])
                os._exit(0)
        finally:
            os._exit(0)
    number, _ = agent.take(b"R")
    os.waitpid(pid, 0)
    assert agent.take(b"K")[0] == number
    broker.close()


def test_a_fork_learns_why_there_is_no_access():
    def refuse() -> HelperAccess:
        raise Conflict("web has just ended", hint="start it", reference="not-running")

    broker = AccessBroker(refuse)
    with pytest.raises(PydError) as refused, broker.connect():
        pass
    assert (str(refused.value), refused.value.hint, refused.value.reference) == (
        "web has just ended", "start it", "not-running",
    )  # fmt: skip
    broker.close()
    with pytest.raises(ProtocolError), broker.connect():
        pass
