from __future__ import annotations

import asyncio

import pytest

from pyd_core.errors import Conflict, InvalidInput
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.port_forward import PortPair, forward_ports, parse_ports
from pyd_core.model.base import decode, encode
from support.kube.server import ScriptedCluster


@pytest.mark.parametrize(
    ("text", "pair"), [("80", PortPair(80, 80)), ("8080:80", PortPair(8080, 80)), (":80", PortPair(0, 80))]
)
def test_ports(text: str, pair: PortPair):
    assert parse_ports(text) == pair


@pytest.mark.parametrize("text", ["", "0", "70000", "1:2:3", "a:80", "-1", "80:"])
def test_what_is_no_port_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_ports(text)


async def test_bytes_travel_both_ways_and_clients_do_not_meet(cluster: ScriptedCluster, api: ClusterApi):
    pod = decode(encode(cluster.load_state("running")), Pod)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        remote = server.sockets[0].getsockname()[1]
        async with forward_ports(api, pod, [PortPair(0, remote)]) as taken, asyncio.timeout(60):

            async def talk(data: bytes) -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", taken[0].local)
                writer.write(data)
                try:
                    return await reader.readexactly(len(data))
                finally:
                    writer.close()

            texts = [bytes([65 + number]) * 100_000 for number in range(3)]
            assert await asyncio.gather(*map(talk, texts)) == texts


async def test_a_port_that_nothing_serves_is_reported_and_ends_only_that_client(
    cluster: ScriptedCluster, api: ClusterApi
):
    pod = decode(encode(cluster.load_state("running")), Pod)
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        closed = server.sockets[0].getsockname()[1]
    reported = asyncio.Event()
    errors: list[str] = []

    def on_error(text: str) -> None:
        errors.append(text)
        reported.set()

    async with forward_ports(api, pod, [PortPair(0, closed)], on_error=on_error) as taken, asyncio.timeout(60):
        _reader, writer = await asyncio.open_connection("127.0.0.1", taken[0].local)
        await reported.wait()
        writer.close()
        assert "refused" in errors[0]
        with pytest.raises(Conflict):
            async with forward_ports(api, pod, [PortPair(taken[0].local, 1)]):
                pass
