"""A cluster as a provider of containers, end to end on a scripted API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
import pytest_asyncio

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.names import resolve_container
from pyd_core.client.provider import engine_of, images_of, removal_of, restarting_of, stopping_of
from pyd_core.errors import NotFound, ProtocolError, Refused, StreamInterrupted, Unsupported
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.delta import Delta
from support.kube.records import state_names
from support.kube.server import ScriptedCluster
from support.kube.wire import status


def client_of(cluster: ScriptedCluster, namespace: str = "states") -> ClusterClient:
    settings = AccessSettings(server=cluster.url, token=cluster.token)
    access = ClusterAccess(context="scripted", namespace=namespace, settings=settings)
    return ClusterClient(Endpoint(url=f"kube://scripted/{namespace}"), access)


@pytest_asyncio.fixture
async def engine(cluster: ScriptedCluster) -> AsyncIterator[ClusterClient]:
    async with client_of(cluster) as client:
        yield client


async def test_every_recorded_state_is_listed_and_inspected(cluster: ScriptedCluster, engine: ClusterClient):
    for name in state_names():
        cluster.load_state(name)
    listed = await engine.containers.list(all=True)
    assert len({entry.id for entry in listed}) == len(listed) > len(state_names())
    for entry in listed:
        container = await engine.containers.inspect(entry.id)
        assert (container.name, container.state.status) == (entry.name, entry.state)


async def test_a_pod_is_found_by_its_name_its_container_and_the_id(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    ids = {(await resolve_container(engine, name)).id for name in ("running", "running/app", "states/running/app")}
    assert len(ids) == 1
    assert (await resolve_container(engine, ids.pop()[:12])).name == "running/app"
    with pytest.raises(NotFound, match="nope"):
        await resolve_container(engine, "nope")


async def test_the_watcher_follows_pods_through_their_lives(cluster: ScriptedCluster, engine: ClusterClient):
    pod = cluster.load_state("running")
    changed = asyncio.Event()
    events: list[str] = []
    watcher = ContainerWatcher(engine)

    def on_delta(delta: Delta) -> None:
        events.extend(event.action for event in delta.events)
        changed.set()

    watcher.subscribe(on_delta)

    async def until(test: Callable[[], bool]) -> None:
        while not test():
            changed.clear()
            await changed.wait()

    async with TaskOwner() as tasks, asyncio.timeout(120):
        tasks.start(watcher.run())
        await until(lambda: len(watcher.containers) == 2)
        dead = {
            "exitCode": 3,
            "reason": "Error",
            "startedAt": "2026-11-30T23:20:00Z",
            "finishedAt": "2026-11-30T23:21:00Z",
        }
        for entry in pod["status"]["containerStatuses"]:
            if entry["name"] == "ticker":
                entry["state"], entry["lastState"] = {"terminated": dead}, {}
        await cluster.put("pods", pod)
        await until(lambda: "exited" in {entry.state for entry in watcher.containers.values()})
        ticker = next(entry for entry in watcher.containers.values() if entry.name == "running/ticker")
        assert ticker.exit_code == 3
        assert "die" in events
        await cluster.remove("pods", "states", "running")
        await until(lambda: not watcher.containers)


async def test_a_forgotten_history_is_a_stated_interruption(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    async with engine.system.events() as events:
        await cluster.compact()
        with pytest.raises(StreamInterrupted, match="forgotten"):
            async for _ in events:
                pass


async def test_a_log_is_read_with_its_times_and_bounds(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    stamps = [f"2026-11-30T23:20:0{second}.500000000Z" for second in range(4)]
    cluster.logs["states", "running", "app"] = b"".join(
        f"{stamp} line {index}\n".encode() for index, stamp in enumerate(stamps)
    )
    lines = [item async for item in follow(engine, "running/app")]
    assert [item.data for item in lines if isinstance(item, LogLine)] == [b"line 0", b"line 1", b"line 2", b"line 3"]
    base = lines[0].time_ns if isinstance(lines[0], LogLine) else 0
    kept = follow(engine, "running/app", since=base + 10**9, until=base + 3 * 10**9)
    assert [item.data async for item in kept if isinstance(item, LogLine)] == [b"line 1", b"line 2"]


async def test_the_log_of_a_container_that_restarted_starts_with_the_run_before(
    cluster: ScriptedCluster, engine: ClusterClient
):
    pod = cluster.load_state("running")
    for entry in pod["status"]["containerStatuses"]:
        entry["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": "2026-11-30T23:19:00Z"}}
    cluster.logs["states", "running", "app", "previous"] = b"2026-11-30T23:18:59.000000001Z died"
    cluster.logs["states", "running", "app"] = b"2026-11-30T23:20:00.000000001Z again\n"
    lines = [item.data async for item in follow(engine, "running/app") if isinstance(item, LogLine)]
    assert lines == [b"died", b"again"]
    del cluster.logs["states", "running", "app", "previous"]
    assert [item.data async for item in follow(engine, "running/app") if isinstance(item, LogLine)] == [b"again"]
    assert [item.data async for item in follow(engine, "running/app", tail=5) if isinstance(item, LogLine)] == [
        b"again"
    ]


async def test_a_followed_log_grows(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    cluster.logs["states", "running", "app"] = b""
    stream = follow(engine, "running/app", follow=True, restarts=False)
    await cluster.write_log("states", "running", "app", b"2026-11-30T23:20:01.000000001Z hello\n")
    async with asyncio.timeout(120):
        async for item in stream:
            assert isinstance(item, LogLine)
            assert item.data == b"hello"
            break
    await stream.aclose()


@pytest.mark.parametrize("protocols", [("v5.channel.k8s.io",), ("v4.channel.k8s.io",)])
async def test_a_command_runs_in_either_version_of_the_protocol(
    cluster: ScriptedCluster, engine: ClusterClient, protocols: tuple[str, ...]
):
    cluster.load_state("running")
    cluster.protocols = protocols
    succeeded = await engine.execs.create("running/app", ["true"])
    streams = await engine.execs.start(succeeded)
    assert await streams.read() == b""
    assert (await engine.execs.inspect(succeeded)).exit_code == 0
    created = await engine.execs.create("running/app", ["sh", "-c", "echo out; echo err >&2; exit 7"])
    streams = await engine.execs.start(created)
    data = b""
    while piece := await streams.read():
        data += piece
    await streams.aclose()
    assert b"\x01\0\0\0\0\0\0\x04out\n" in data
    assert b"\x02\0\0\0\0\0\0\x04err\n" in data
    assert (await engine.execs.inspect(created)).exit_code == 7


async def test_a_program_that_is_not_there_is_reported_as_in_a_shell(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    created = await engine.execs.create("running/app", ["no-such-program"])
    streams = await engine.execs.start(created)
    data = b""
    while piece := await streams.read():
        data += piece
    assert b"OCI runtime exec failed" in data
    assert (await engine.execs.inspect(created)).exit_code == 127


async def test_a_refused_command_is_an_error_with_the_server_s_words(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    cluster.fail("/exec", status(403, "Forbidden", 'User "viewer" cannot get resource "pods/exec"'))
    created = await engine.execs.create("running/app", ["true"])
    with pytest.raises(Refused, match="pods/exec"):
        await engine.execs.start(created)


async def test_a_proxy_that_refuses_websockets_is_no_lack_of_rights(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    cluster.faults.refuses_websockets = True
    created = await engine.execs.create("running/app", ["true"])
    with pytest.raises(ProtocolError, match="refuses WebSocket"):
        await engine.execs.start(created)


async def test_inspect_shows_the_pod_as_the_server_has_it(cluster: ScriptedCluster, engine: ClusterClient):
    pod = cluster.load_state("running")
    pod["metadata"]["managedFields"] = [{"manager": "kubelet"}]
    document = msgspec.json.decode(await engine.containers.inspect_raw("running/app"))
    assert document["metadata"]["uid"] == pod["metadata"]["uid"]
    assert "managedFields" not in document["metadata"]


def test_what_a_cluster_has_not_is_refused_in_one_line(engine: ClusterClient):
    with pytest.raises(Unsupported, match=r"is a cluster: it doesn't offer images"):
        images_of(engine)
    with pytest.raises(Unsupported, match="only engines"):
        engine_of(engine)
    with pytest.raises(Unsupported, match="stops of containers"):
        stopping_of(engine)
    assert removal_of(engine) == engine.containers
    assert restarting_of(engine) == engine.containers


async def test_without_rights_in_all_namespaces_one_is_suggested(cluster: ScriptedCluster):
    cluster.fail("GET /api/v1/pods", status(403, "Forbidden", "pods is forbidden at the cluster scope"))
    async with client_of(cluster, "*") as client:
        with pytest.raises(Refused) as caught:
            await client.containers.list()
    assert "kube://CONTEXT/NAMESPACE" in caught.value.hint


async def test_a_deletion_names_the_pod_that_was_looked_at(cluster: ScriptedCluster, engine: ClusterClient):
    cluster.load_state("running")
    async with engine.system.events():  # the known pod stays the old one
        cluster.objects.put(
            "pods",
            {**cluster.load_state("running"), "metadata": {"name": "running", "namespace": "states", "uid": "new"}},
        )
        entry = (await engine.containers.list(all=True))[0]
        with pytest.raises(Exception, match="precondition"):
            await engine.containers.remove(entry.id)
