"""Bulk actions: one action on several objects, a few at a time, with an outcome for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pyd_core.errors import PydError

T = TypeVar("T")

MAX_CONCURRENCY = 10
"""Objects that are acted on at the same time: an engine gains nothing from more."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The result of an action on one object.

    Attributes:
        item: The object.
        error: The failure; None where the action succeeded.
    """

    item: T
    error: PydError | None = None


async def run_on_each(
    action: Callable[[T], Awaitable[object]],
    items: Iterable[T],
    *,
    on_outcome: Callable[[Outcome[T]], None] = lambda _: None,
    limit: int = MAX_CONCURRENCY,
) -> list[Outcome[T]]:
    """Run an action on each object, and continue with the others when one fails.

    Args:
        action: Acts on one object; a `PydError` that it raises becomes the object's outcome.
        items: The objects.
        on_outcome: Called with each outcome as soon as it is known.
        limit: The number of objects acted on at the same time.

    Returns:
        The outcomes, in the order of `items`.
    """
    import asyncio  # noqa: PLC0415 - one object needs no event loop

    gate = asyncio.Semaphore(limit)

    async def run(item: T) -> Outcome[T]:
        async with gate:
            outcome = await run_on_one(action, item)
        on_outcome(outcome)
        return outcome

    return await asyncio.gather(*map(run, items))


async def run_on_one(action: Callable[[T], Awaitable[object]], item: T) -> Outcome[T]:
    """Run an action on one object, and return its outcome."""
    try:
        await action(item)
    except PydError as error:
        return Outcome(item, error)
    return Outcome(item)
