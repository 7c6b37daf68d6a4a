import asyncio

import pytest

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.names import resolve_container
from pyd_core.errors import Conflict, InvalidInput, NotFound
from support.docker import LABEL, LONE, Docker


async def test_a_container_lives_and_ends(engine: EngineClient, corner: Docker, shell: str):
    name = corner.name("life")
    body = {
        "Image": shell,
        "Cmd": ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"],
        "Labels": {LABEL: corner.prefix, "colour": "blue"},
        "HostConfig": {"NetworkMode": "none", "Memory": 64 * 2**20},
    }
    containers = engine.containers
    result = await containers.create(body, name=name)
    try:
        created = await containers.inspect(result.id)
        assert (created.name, created.state.status, created.state.pid) == (name, "created", 0)
        assert created.host_config.memory == 64 * 2**20
        assert created.state.started_ns is None

        await containers.start(name)
        await containers.start(name)
        state = (await containers.inspect(name)).state
        assert state.running
        assert state.pid > 0
        assert state.started_ns is not None

        await containers.pause(name)
        assert (await containers.inspect(name)).state.status == "paused"
        await containers.unpause(name)

        renamed = corner.name("reborn")
        await containers.rename(name, renamed)
        await containers.stop(renamed, grace=10)
        assert (await containers.wait(renamed)).status_code == 7
        ended = (await containers.inspect(renamed)).state
        assert (ended.status, ended.exit_code, ended.running) == ("exited", 7, False)
        assert ended.finished_ns is not None
        assert ended.finished_ns > (ended.started_ns or 0)

        await containers.restart(renamed, grace=5)
        await containers.kill(renamed, signal="KILL")
        assert (await containers.wait(renamed)).status_code == 137
    finally:
        await containers.remove(result.id, force=True, volumes=True)
    with pytest.raises(NotFound):
        await containers.inspect(result.id)


async def test_lists_show_what_was_asked_for(engine: EngineClient, corner: Docker, running: str, shell: str):
    stopped = corner.create("stopped", shell, "true")
    mine = {"label": [f"{LABEL}={corner.prefix}"]}
    try:
        assert stopped not in {result.name for result in await engine.containers.list(filters=mine)}
        every = {result.name: result for result in await engine.containers.list(all=True, filters=mine)}
        assert every[running].state == "running"
        assert every[stopped].state == "created"
        assert every[running].labels[LABEL] == corner.prefix
        [item] = await engine.containers.list(all=True, filters={"name": [f"^/?{stopped}$"]})
        assert item.name == stopped
    finally:
        corner("rm", stopped)


async def test_names_and_beginnings_of_ids_find_it(engine: EngineClient, running: str):
    result = await resolve_container(engine, running)
    assert (await resolve_container(engine, result.id)).id == result.id
    assert (await resolve_container(engine, result.id[:20])).name == running
    with pytest.raises(NotFound) as caught:
        await resolve_container(engine, f"{running}x")
    assert running in caught.value.nearest


async def test_processes_are_told(engine: EngineClient, running: str):
    top = await engine.containers.top(running)
    command = next(index for index, title in enumerate(top.titles) if title in {"CMD", "COMMAND"})
    assert top.processes[0][command].endswith("sleep 600")


async def test_changes_name_each_path_and_its_kind(engine: EngineClient, corner: Docker, shell: str):
    name = corner.run("changes", shell, "sh", "-c", "echo x > /tmp/new; rm /bin/vi", options=LONE)
    try:
        await engine.containers.wait(name)
        kinds = {change.path: change.kind for change in await engine.containers.changes(name)}
        assert (kinds["/tmp/new"], kinds["/bin/vi"], kinds["/tmp"]) == (1, 2, 0)
    finally:
        corner("rm", "-f", name)


async def test_limits_change_while_it_runs(engine: EngineClient, running: str):
    await engine.containers.update(running, {"Memory": 32 * 2**20, "MemorySwap": 64 * 2**20})
    assert (await engine.containers.inspect(running)).host_config.memory == 32 * 2**20


async def test_pruning_by_label_removes_only_those(engine: EngineClient, corner: Docker, shell: str):
    label = "pyd.prune=yes"
    gone, kept = (
        corner.create("gone", shell, "true", options=(*LONE, "--label", label)),
        corner.create("kept", shell, "true"),
    )
    try:
        filters = {"label": [label, f"{LABEL}={corner.prefix}"]}
        pruned = await engine.containers.prune(filters=filters)
        assert len(pruned.containers_deleted) == 1
        with pytest.raises(NotFound):
            await engine.containers.inspect(gone)
        assert (await engine.containers.inspect(kept)).name == kept
    finally:
        corner("rm", "-f", kept, gone, check=False)


async def test_what_does_not_fit_the_state_is_a_conflict(engine: EngineClient, running: str, shell: str):
    with pytest.raises(Conflict, match="in use"):
        await engine.containers.create({"Image": shell}, name=running)
    with pytest.raises(Conflict):
        await engine.containers.remove(running)


@pytest.mark.parametrize("name", ["no-such-thing", "x?force=1", "ü\x1b[2J", "a%2f..%2f.."])
async def test_unknown_names_are_not_found_and_reach_nothing_else(engine: EngineClient, name: str):
    with pytest.raises(NotFound):
        await engine.containers.inspect(name)


@pytest.mark.parametrize("name", ["", "..", "a/../../images/json", "/json", "a/"])
async def test_ways_through_the_api_are_no_names(engine: EngineClient, name: str):
    with pytest.raises(InvalidInput):
        await engine.containers.inspect(name)


async def test_waiting_ends_when_the_container_does(engine: EngineClient, corner: Docker, running: str):
    kill = asyncio.get_running_loop().run_in_executor(None, lambda: corner("kill", "-s", "KILL", running))
    assert (await engine.containers.wait(running)).status_code == 137
    await kill


async def test_overlapping_first_calls_agree_on_the_version(corner: Docker, engine: EngineClient):
    answers = await asyncio.gather(*(engine.api.negotiate() for _ in range(20)))
    assert len(set(answers)) == 1
