"""Verdicts on restart loops, which outlive the runs they were made of."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.engines.verdict_cache import VerdictCache, continues, run_of
from pyd_tui.dashboard.render.containers import is_broken
from support.scripted_engine import ScriptedEngine

LOOP = ContainerInfo(
    id="x",
    name="loop",
    state="restarting",
    exit_code=1,
    restart_policy="always",
    restart_count=4,
    started_ns=10,
    finished_ns=11,
    detailed=True,
)


def phases(entry: ContainerInfo) -> list[ContainerInfo]:
    """Return the states of the next run of a loop, as events and inspects report them."""
    running = replace(entry, state="running", exit_code=None, restart_count=entry.restart_count + 1, started_ns=20)
    died = replace(running, state="exited", exit_code=1, finished_ns=21)
    return [running, died, replace(died, state="restarting")]


def test_a_loop_continues_through_all_states_of_its_runs_and_ends_with_a_start_by_hand():
    assert all(continues(run_of(LOOP), entry) for entry in phases(LOOP))
    assert not continues(run_of(LOOP), replace(LOOP, state="running", restart_count=0, started_ns=30))
    assert not continues(run_of(LOOP), replace(LOOP, state="exited", restart_policy="no"))


async def test_a_loop_stays_broken_during_its_short_lives_and_is_not_judged_for_each():
    scripted = ScriptedEngine()
    identity = scripted.add("loop", state="restarting", exit_code=1, restart_count=4)
    entry = replace(LOOP, id=identity)
    engine, judged = scripted.engine(), asyncio.Event()
    cache = VerdictCache(lambda: engine, lambda _: entry)
    cache.on_verdict = judged.set
    try:
        cache.request([entry])
        async with asyncio.timeout(60):
            await judged.wait()
        assert (verdict := cache.of(entry)) is not None
        assert verdict.broken
        request_count = len(scripted.requests)
        for phase in phases(entry):
            cache.request([phase])
            assert cache.of(phase) is verdict
            assert is_broken(phase, cache.of(phase))
        await asyncio.sleep(0)
        assert len(scripted.requests) == request_count
        fresh = replace(entry, state="running", restart_count=0, started_ns=99, exit_code=None)
        assert cache.of(fresh) is None
    finally:
        await cache.aclose()
        await engine.aclose()


async def test_a_loop_that_was_stopped_is_judged_again_soon():
    scripted = ScriptedEngine()
    identity = scripted.add("loop", state="restarting", exit_code=1, restart_count=4)
    entries = [replace(LOOP, id=identity)]
    engine, judged = scripted.engine(), asyncio.Event()
    cache = VerdictCache(lambda: engine, lambda _: entries[-1])
    cache.on_verdict = judged.set
    try:
        async with asyncio.timeout(60):
            cache.request(entries)
            await judged.wait()
            judged.clear()
            entries.append(replace(entries[0], state="exited", finished_ns=50))
            cache.request(entries[-1:])
            assert cache.of(entries[-1]) is cache.of(entries[0])
            await judged.wait()
        assert cache.of(entries[0]) is None or run_of(entries[-1]) in {run for run, _ in cache._verdicts.values()}
    finally:
        await cache.aclose()
        await engine.aclose()


async def test_a_verdict_on_a_run_of_a_loop_that_took_longer_than_the_run_is_kept():
    scripted = ScriptedEngine()
    identity = scripted.add("loop", state="restarting", exit_code=1, restart_count=4)
    entry = replace(LOOP, id=identity)
    engine, judged = scripted.engine(), asyncio.Event()
    cache = VerdictCache(lambda: engine, lambda _: entry)
    cache.on_verdict = judged.set
    scripted.hold.clear()
    try:
        cache.request([entry])
        await asyncio.sleep(0)
        later = phases(entry)[0]
        cache.request([later])
        scripted.hold.set()
        async with asyncio.timeout(60):
            await judged.wait()
        assert cache.of(later) is not None
    finally:
        await cache.aclose()
        await engine.aclose()
