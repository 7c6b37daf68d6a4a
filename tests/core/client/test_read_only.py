"""Calls that a read-only engine refuses without sending them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import Refused
from pyd_core.model.network import NetworkBody
from support.scripted_engine import ScriptedEngine

CHANGES: dict[str, Callable[[EngineClient], Awaitable[object]]] = {
    "start": lambda engine: engine.containers.start("web"),
    "stop": lambda engine: engine.containers.stop("web"),
    "kill": lambda engine: engine.containers.kill("web"),
    "remove": lambda engine: engine.containers.remove("web"),
    "rename": lambda engine: engine.containers.rename("web", "other"),
    "update": lambda engine: engine.containers.update("web", {"Memory": 1}),
    "create": lambda engine: engine.containers.create({"Image": "x"}),
    "prune": lambda engine: engine.containers.prune(),
    "archive_put": lambda engine: engine.containers.archive_put("web", "/", b""),
    "attach with input": lambda engine: engine.containers.attach("web", stdin=True),
    "exec": lambda engine: engine.execs.create("web", ["true"]),
    "exec start": lambda engine: engine.execs.start("abc"),
    "image remove": lambda engine: engine.images.remove("x"),
    "image tag": lambda engine: engine.images.tag("x", repository="y", tag="z"),
    "volume remove": lambda engine: engine.volumes.remove("v"),
    "network create": lambda engine: engine.networks.create(NetworkBody(name="n")),
    "a name that looks like waiting": lambda engine: engine.api.post("/containers/create/../wait"),
}


def read_only(scripted: ScriptedEngine) -> EngineClient:
    return EngineClient(Endpoint(url="tcp://scripted.invalid:2375", read_only=True), scripted)


@pytest.mark.parametrize("what", CHANGES)
async def test_changes_are_refused_before_anything_is_sent(what: str):
    scripted = ScriptedEngine()
    scripted.add("web")
    with pytest.raises(Refused) as caught:
        await CHANGES[what](read_only(scripted))
    assert caught.value.reference == "read-only"
    assert caught.value.hint
    assert scripted.requests == []


async def test_a_pull_is_refused_too_though_it_streams():
    scripted = ScriptedEngine()
    with pytest.raises(Refused):
        async with read_only(scripted).images.pull("x"):
            pass
    assert scripted.requests == []


async def test_reading_goes_on():
    scripted = ScriptedEngine()
    scripted.add("web")
    engine = read_only(scripted)
    assert [item.name for item in await engine.containers.list()] == ["web"]
    assert (await engine.containers.inspect("web")).state.running
    assert (await engine.system.info()).name == "docker-1"
    assert await engine.containers.changes("web")


async def test_waiting_and_attaching_without_input_only_read():
    scripted = ScriptedEngine()
    engine = read_only(scripted)
    for path in ("/containers/web/wait", "/containers/web/attach"):
        assert (await engine.api._request("POST", path, None)).method == "POST"
    with pytest.raises(Refused):
        await engine.api._request("POST", "/containers/web/attach", {"stdin": True})
