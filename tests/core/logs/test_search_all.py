from __future__ import annotations

import pytest

from pyd_core.errors import InvalidInput
from pyd_core.logs.pattern import LogPattern
from pyd_core.logs.search_all import LogMatch, search_all
from support.scripted_engine import ScriptedEngine


def fifty() -> ScriptedEngine:
    engine = ScriptedEngine()
    for number in range(50):
        name = f"box-{number:02}"
        engine.add(name, state="exited" if number % 2 else "running")
        for line in range(20):
            engine.print(name, f"line {line}{' needle' if number == 31 and line in (3, 17) else ''}")
    return engine


async def swept(engine: ScriptedEngine, pattern: LogPattern, at_once: int = 4) -> list[LogMatch]:
    client = engine.engine()
    containers = await client.containers.list(all=True)
    return [finding async for finding in search_all(client, containers, pattern, max_concurrency=at_once)]


async def test_a_needle_in_one_of_fifty_containers_is_found_running_or_not():
    findings = await swept(fifty(), LogPattern("Needle"))
    lines = [(finding.container.name, line.data) for finding in findings for line in finding.lines]
    assert lines == [("box-31", b"line 3 needle"), ("box-31", b"line 17 needle")]
    done = {finding.container.name: finding for finding in findings if finding.done}
    assert len(done) == 50
    assert all(finding.read == 20 for finding in done.values())
    assert done["box-31"].matched == 2


async def test_no_more_logs_are_read_at_once_than_asked_for():
    engine = fifty()
    client = engine.engine()
    most = 0
    async for _ in search_all(client, await client.containers.list(all=True), LogPattern("line"), max_concurrency=3):
        most = max(most, engine.streams)
    assert 0 < most <= 3


async def test_leaving_early_ends_every_request():
    engine = fifty()
    client = engine.engine()
    search = search_all(client, await client.containers.list(all=True), LogPattern("line"))
    async for _ in search:
        break
    await search.aclose()
    assert engine.streams == 0


async def test_a_log_that_cannot_be_read_spoils_no_other():
    engine = fifty()
    client = engine.engine()
    containers = await client.containers.list(all=True)
    del engine.containers[engine.get("box-07").id]
    done = [finding async for finding in search_all(client, containers, LogPattern("line")) if finding.done]
    assert [finding.container.name for finding in done if finding.error] == ["box-07"]
    assert sum(finding.matched for finding in done) == 49 * 20


async def test_an_expression_that_is_none_is_refused_before_anything_is_asked():
    engine = fifty()
    with pytest.raises(InvalidInput):
        await swept(engine, LogPattern("(", regex=True))
    assert not [request for request in engine.requests if "logs" in request]
