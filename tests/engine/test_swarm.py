"""The nouns of a swarm on a real one, of a single node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from pyd_core.client.capabilities import Capability
from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import InvalidInput, NotFound
from pyd_tui.dashboard.engines.connection import EngineConnection
from support.dashboard import Counting, Opened
from support.docker import Docker, busybox_files
from support.swarm import SwarmHost

TIMEOUT_S = 60.0


@pytest.fixture(scope="module")
def swarm_host() -> Iterator[Docker]:
    with SwarmHost() as host:
        yield Docker(host.url)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll: a manager lists its tasks on request and emits no events for them."""
    async with asyncio.timeout(TIMEOUT_S):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.1)


def talker(image: str, name: str, **mode: Any) -> dict[str, object]:
    return {
        "Name": name,
        "Labels": {"com.docker.stack.namespace": "shop"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": image,
                "Command": ["/bin/sh", "-c", "echo hello; trap 'exit 0' TERM; while :; do sleep 0.1; done"],
                "StopGracePeriod": 0,
            },
            "Networks": [{"Target": "host"}],
        },
        "Mode": mode,
    }


async def test_an_engine_becomes_a_swarm_and_runs_services_on_it(swarm_host: Docker):
    image = swarm_host.image("shell", busybox_files())
    async with open_engine(Endpoint(url=swarm_host.host)) as engine:
        assert await engine.can(Capability.SWARM)
        assert not await engine.can(Capability.SWARM_MANAGER)
        node = await engine.swarm.init(advertise="127.0.0.1", listen="127.0.0.1:2377")
        assert await engine.can(Capability.SWARM_MANAGER)
        swarm = await engine.swarm.inspect()
        assert swarm.id
        assert swarm.join_tokens.worker.startswith("SWMTKN-")
        await _look_at_nodes(engine, node)
        await _look_at_services(engine, image, node)
        await _look_at_secrets(engine)
        await engine.swarm.leave(force=True)
        assert not await engine.can(Capability.SWARM_MANAGER)


async def _look_at_nodes(engine: EngineClient, node: str) -> None:
    (only,) = await engine.nodes.list()
    assert only.id == node
    assert only.status.state == "ready"
    assert only.description.resources.nano_cpus > 0
    assert only.manager_status is not None
    assert only.manager_status.leader

    def label(spec: dict[str, Any]) -> None:
        spec["Labels"] = {"disk": "fast"}

    await engine.nodes.edit((await engine.system.info()).swarm.node_id, label)
    assert (await engine.nodes.inspect(node)).spec.labels == {"disk": "fast"}
    assert (await engine.nodes.inspect(node)).spec.role == "manager"


async def _look_at_services(engine: EngineClient, image: str, node: str) -> None:
    created = await engine.services.create(talker(image, "web", Replicated={"Replicas": 2}))
    await engine.services.create(talker(image, "agent", Global={}))

    async def running(name: str, count: int) -> bool:
        result = {item.spec.name: item for item in await engine.services.list()}
        status = result[name].service_status
        return status is not None and status.running_tasks == count == status.desired_tasks

    await until(lambda: running("web", 2))
    await until(lambda: running("agent", 1))
    web, agent = await engine.services.inspect("web"), await engine.services.inspect("agent")
    assert (web.id, web.stack, web.spec.mode.name, agent.spec.mode.name) == (created.id, "shop", "replicated", "global")
    assert web.spec.task_template.container_spec.image.startswith(image)
    tasks = [item for item in await engine.tasks.list(filters={"service": ["web"]}) if item.status.state == "running"]
    assert {item.slot for item in tasks} == {1, 2}
    assert {item.node_id for item in tasks} == {node}
    assert tasks[0].container_id in {item.id for item in await engine.containers.list()}

    async def heard() -> bool:
        async with engine.services.logs("web", timestamps=True) as stream:
            return b"".join([part async for part in stream.chunks()]).count(b"hello") == 2

    await until(heard)
    await _look_at_the_dashboard(engine)
    await until(lambda: running("web", 1))
    with pytest.raises(InvalidInput, match="agent has no number of replicas"):
        await engine.services.scale("agent", 3)
    before = json.loads(await engine.services.inspect_raw("web"))["Spec"]
    await engine.services.restart("web")
    after = json.loads(await engine.services.inspect_raw("web"))["Spec"]
    assert after["TaskTemplate"].pop("ForceUpdate") == 1
    before["TaskTemplate"].pop("ForceUpdate", None)
    assert after == before, "what no model knows is kept"
    await engine.services.rollback("web")
    await engine.services.remove("web")
    with pytest.raises(NotFound):
        await engine.services.inspect("web")
    await engine.services.remove("agent")


async def _look_at_the_dashboard(engine: EngineClient) -> None:
    """Every view of the swarm, and a command on it."""
    app = Counting([EngineConnection(lambda: engine.endpoint)])
    async with app.run_test(size=(120, 30)) as pilot:
        dashboard = Opened(app, pilot)
        await dashboard.until_shown("7 Services")
        for key, row, about in (
            ("7", "2/2", "Tasks"),
            ("8", "web.1", "container"),
            ("9", "leader", "web.2"),
            ("0", "agent, web", "replicated"),
        ):
            await dashboard.press(key)
            await dashboard.until_shown(row)
            await dashboard.until_shown(about)
        await dashboard.press("7")
        await dashboard.until_shown("agent")
        await dashboard.press("j", "colon")
        await dashboard.type("scale 1")
        await dashboard.press("enter")
        await dashboard.until_shown("scaled web to 1 task")


async def _look_at_secrets(engine: EngineClient) -> None:
    identity = await engine.secrets.create("token", b"\xff\xfe hush", labels={"of": "shop"})
    (secret,) = await engine.secrets.list()
    assert (secret.id, secret.spec.name, secret.spec.labels, secret.spec.data) == (
        identity,
        "token",
        {"of": "shop"},
        "",
    )
    await engine.secrets.remove("token")
    assert await engine.secrets.list() == []
    await engine.configs.create("motd", b"welcome")
    assert (await engine.configs.inspect("motd")).spec.data == "d2VsY29tZQ=="
    await engine.configs.remove("motd")
