"""Figures from control groups, compared with Docker Engine's for the same containers."""

import os
from collections.abc import AsyncIterator

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import DOCKER_SOCKET, Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.watch.local_stats import LocalHost
from pyd_core.watch.stats import from_api
from support.docker import Docker

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to read other users' processes")


@pytest.fixture
async def engine(docker: Docker) -> AsyncIterator[EngineClient]:
    async with open_engine(Endpoint(url=DOCKER_SOCKET)) as item:
        yield item


@pytest.mark.parametrize("network", ["bridge", "none"])
async def test_counters_agree_with_the_engines(docker: Docker, busybox: str, engine: EngineClient, network: str):
    script = (
        "dd if=/dev/urandom of=/tmp/x bs=1M count=8 2>/dev/null; sleep 1000 & sleep 1000 & while :; do sleep 0.01; done"
    )
    name = docker.run(f"count-{network}", busybox, "sh", "-c", script, options=("-m", "64m", "--network", network))
    result = await engine.containers.inspect(name)
    reader = LocalHost().reader(result.id, result.state.pid)
    assert reader is not None
    before = reader.read()
    theirs = from_api(await engine.containers.stats(result.id), memory_limit=result.host_config.memory)
    after = reader.read()
    reader.close()
    assert before is not None
    assert theirs is not None
    assert after is not None
    assert 0 < before.counters.cpu_ns <= theirs.counters.cpu_ns <= after.counters.cpu_ns
    assert before.counters.memory_limit == theirs.counters.memory_limit == 64 * 2**20
    for ours in (before, after):
        assert ours.counters.memory == pytest.approx(theirs.counters.memory, abs=16 * 2**20)
        assert ours.counters.pids == pytest.approx(theirs.counters.pids, abs=2)
        if network == "none":
            assert ours.network is not None
            assert ours.network.received == 0
    if network == "bridge":
        assert before.network is not None
        assert theirs.network is not None
        assert after.network is not None
        assert before.network.received <= theirs.network.received <= after.network.received


async def test_the_hosts_network_is_not_counted_as_the_containers(docker: Docker, busybox: str, engine: EngineClient):
    name = docker.run("host-net", busybox, "sleep", "1000", options=("--network", "host"))
    result = await engine.containers.inspect(name)
    reader = LocalHost().reader(result.id, result.state.pid)
    assert reader is not None
    sample = reader.read()
    reader.close()
    assert sample is not None
    assert sample.network is None
    assert sample.counters.memory_limit is None


async def test_an_ended_container_has_no_counters(docker: Docker, busybox: str, engine: EngineClient):
    name = docker.run("ended", busybox, "sleep", "1000", options=("--network", "none"))
    result = await engine.containers.inspect(name)
    reader = LocalHost().reader(result.id, result.state.pid)
    assert reader is not None
    assert reader.read() is not None
    docker("rm", "-f", name)
    assert reader.read() is None
    reader.close()
    assert LocalHost().reader(result.id, result.state.pid) is None
    assert LocalHost().reader(result.id, os.getpid()) is None
