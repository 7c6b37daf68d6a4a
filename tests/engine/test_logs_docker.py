"""Logs of real containers on a real Docker Engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import DOCKER_SOCKET, Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.gap import Gap
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine
from pyd_core.logs.merge import merge
from pyd_core.logs.stream import LogStream
from support.docker import Docker
from support.proxy import Proxy

NO_NETWORK = ("--network", "none")


@pytest.fixture
async def engine(docker: Docker) -> AsyncIterator[EngineClient]:
    async with open_engine(Endpoint(url=DOCKER_SOCKET)) as item:
        yield item


async def lines(stream: LogStream) -> list[LogLine]:
    return [item async for item in stream if isinstance(item, LogLine)]


def finished(docker: Docker, short: str, image: str, script: str, *options: str) -> str:
    name = docker.run(short, image, "sh", "-c", script, options=(*NO_NETWORK, *options))
    docker("wait", name)
    return name


async def test_streams_long_lines_and_bytes_come_through(docker: Docker, busybox: str, engine: EngineClient):
    script = r"""echo out; echo err >&2; head -c 100000 /dev/zero | tr '\0' x; echo; printf '\377\376\033[2J\n'; echo"""
    name = finished(docker, "bytes", busybox, script, "--log-driver", "local")  # json-file itself spoils such bytes
    got = await lines(follow(engine, name))
    out = [line.data for line in got if line.stream == "stdout"]
    assert out == [b"out", b"x" * 100_000, b"\xff\xfe\x1b[2J", b""]
    assert [line.data for line in got if line.stream == "stderr"] == [b"err"]
    assert all(line.time_ns > 1_600_000_000 * 10**9 for line in got)


async def test_a_line_of_megabytes_is_cut_and_the_rest_counted(docker: Docker, busybox: str, engine: EngineClient):
    name = finished(docker, "mega", busybox, r"head -c 3000000 /dev/zero | tr '\0' y; echo; echo after")
    long, after = await lines(follow(engine, name))
    assert (len(long.data), long.cut) == (2**20, 3_000_000 - 2**20)
    assert after.data == b"after"


async def test_a_terminals_log_is_the_same_without_framing(docker: Docker, busybox: str, engine: EngineClient):
    script = r"echo one; head -c 50000 /dev/zero | tr '\0' z; echo; echo two >&2"
    name = finished(docker, "tty", busybox, script, "-t")
    assert [line.data for line in await lines(follow(engine, name))] == [b"one", b"z" * 50_000, b"two"]


def test_a_log_is_read_without_an_event_loop(docker: Docker, busybox: str):
    first = finished(docker, "sync-a", busybox, "seq 1 1000")
    second = finished(docker, "sync-b", busybox, "seq 1001 2000")
    engine = blocking_engine(Endpoint(url=DOCKER_SOCKET))
    got = run_now(lines(merge([follow(engine, first), follow(engine, second)], max_wait_s=None)))
    assert sorted(int(line.data) for line in got) == list(range(1, 2001))
    assert [line.time_ns for line in got] == sorted(line.time_ns for line in got)


async def test_following_two_fast_containers_loses_nothing(docker: Docker, busybox: str, engine: EngineClient):
    names = [docker.run(short, busybox, "seq", "1", "20000", options=NO_NETWORK) for short in ("fast-a", "fast-b")]
    got = await lines(merge([follow(engine, name, follow=True, restarts=False) for name in names]))
    for name in names:
        assert [int(line.data) for line in got if line.name == name] == list(range(1, 20_001))


async def test_following_goes_on_through_a_restart(docker: Docker, busybox: str, engine: EngineClient):
    name = docker.run("again", busybox, "sh", "-c", "echo begun; exec sleep 1000", options=NO_NETWORK)
    async with asyncio.timeout(30), aclosing(follow(engine, name, follow=True)) as stream:
        items = aiter(stream)
        first = await anext(items)
        await asyncio.to_thread(docker, "restart", "-t", "0", name)
        second = await anext(items)
        await asyncio.to_thread(docker, "rm", "-f", name)
        assert [item async for item in items] == []
    assert isinstance(first, LogLine)
    assert isinstance(second, LogLine)
    assert (first.data, second.data) == (b"begun", b"begun")
    assert second.time_ns > first.time_ns


async def test_a_cut_connection_loses_no_line_and_repeats_none(docker: Docker, busybox: str, tmp_path: Path):
    script = "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); [ $((i % 100)) = 0 ] && usleep 20000; done; true"
    numbers: list[int] = []
    gaps: list[Gap] = []
    async with (
        Proxy(Path(DOCKER_SOCKET.removeprefix("unix://")), tmp_path / "cut.sock") as proxy,
        open_engine(Endpoint(url=proxy.url)) as engine,
        asyncio.timeout(60),
    ):
        name = docker.run("cut", busybox, "sh", "-c", script, options=NO_NETWORK)
        async for item in follow(engine, name, follow=True, restarts=False):
            if isinstance(item, Gap):
                gaps.append(item)
                continue
            numbers.append(int(item.data))
            if numbers[-1] in {500, 1500}:
                proxy.drop()
    assert numbers == list(range(3000))
    assert [gap.lost for gap in gaps] == [0] * len(gaps)
    assert gaps
