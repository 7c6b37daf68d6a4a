from __future__ import annotations

import asyncio

import pytest

from pyd_core.bulk import run_on_each
from pyd_core.errors import Conflict, PydError


async def test_failures_dont_stop_the_others_and_outcomes_keep_the_order():
    finished: list[str] = []

    async def remove(name: str) -> None:
        await asyncio.sleep(0 if name == "b" else 0.01)
        if name == "a":
            raise Conflict("a is in use")

    outcomes = await run_on_each(remove, ["a", "b", "c"], on_outcome=lambda outcome: finished.append(outcome.item))
    assert [(outcome.item, outcome.error and outcome.error.message) for outcome in outcomes] == [
        ("a", "a is in use"),
        ("b", None),
        ("c", None),
    ]
    assert finished[0] == "b"


async def test_no_more_than_the_limit_run_at_the_same_time():
    running = peak = 0

    async def work(_: int) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1

    await run_on_each(work, range(20), limit=3)
    assert peak == 3


async def test_bugs_are_raised():
    async def work(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        await run_on_each(work, [1])
    assert not isinstance(caught.value, PydError)
