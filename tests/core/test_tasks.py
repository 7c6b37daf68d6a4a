from __future__ import annotations

import asyncio

import pytest

from pyd_core.errors import NotFound
from pyd_core.tasks import TaskOwner


async def fail_after(running: asyncio.Event) -> None:
    running.set()
    raise NotFound("no such container")


async def test_a_failure_just_before_the_owner_closes_is_raised():
    running = asyncio.Event()
    owner = TaskOwner()
    owner.start(fail_after(running))
    await running.wait()
    with pytest.raises(ExceptionGroup) as raised:
        await owner.aclose()
    assert raised.group_contains(NotFound, match="no such container")


async def test_a_failure_just_before_the_owner_closes_is_told_once():
    running = asyncio.Event()
    failures: list[Exception] = []
    async with TaskOwner(on_error=failures.append) as owner:
        owner.start(fail_after(running))
        await running.wait()
    await asyncio.sleep(0)
    assert [str(failure) for failure in failures] == ["no such container"]


async def test_closing_ends_what_still_runs():
    owner = TaskOwner()
    task = owner.start(asyncio.Event().wait())
    await asyncio.sleep(0)
    await owner.aclose()
    assert task.cancelled()
    assert len(owner) == 0
