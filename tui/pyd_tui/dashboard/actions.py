"""What can be done to containers: words, conditions and the call itself, as data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pyd_core.engine.client import Engine
from pyd_core.errors import PydError
from pyd_core.fleet.entry import Entry

AT_ONCE = 10
"""Containers that one action works on at the same time."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something done to containers.

    Attributes:
        verb: What to do, as a question asks it: `remove`.
        doing: Shown on the row while it is done: `removing`.
        done: What has been done, as a report says it: `removed`.
        run: Does it.
        asks: Whether it asks even for a single container, because it can't be undone.
    """

    verb: str
    doing: str
    done: str
    run: Callable[[Engine, Entry], Awaitable[None]]
    asks: bool = False


async def _pause(engine: Engine, entry: Entry) -> None:
    await (engine.containers.unpause(entry.id) if entry.state == "paused" else engine.containers.pause(entry.id))


ACTIONS = {
    "stop": Action("stop", "stopping", "stopped", lambda engine, entry: engine.containers.stop(entry.id)),
    "restart": Action("restart", "restarting", "restarted", lambda engine, entry: engine.containers.restart(entry.id)),
    "pause": Action("pause or unpause", "pausing", "paused or unpaused", _pause),
    "remove": Action(
        "remove",
        "removing",
        "removed",
        lambda engine, entry: engine.containers.remove(entry.id, force=True),
        asks=True,
    ),
}


def question(action: Action, entries: list[Entry]) -> str:
    """Returns what to ask before it is done."""
    running = sum(entry.alive for entry in entries)
    many = f"{len(entries)} containers" if len(entries) > 1 else entries[0].name
    kills = ""
    if action.verb == "remove" and running:
        who = "It is" if len(entries) == 1 else "All are" if running == len(entries) else f"{running} of them are"
        kills = f" {who} running, and will be killed."
    return f"{action.verb.capitalize()} {many}?{kills}"


async def perform(
    action: Action, engine: Engine, entries: list[Entry], mark: Callable[[str, str], None]
) -> dict[str, PydError]:
    """Does it to all of them, some at a time.

    Args:
        action: What to do.
        engine: Where.
        entries: To what.
        mark: Told of each container's id and what is being done to it; an empty word when that is over.

    Returns:
        The failures by container id.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    failures: dict[str, PydError] = {}

    async def one(entry: Entry) -> None:
        async with gate:
            try:
                await action.run(engine, entry)
            except PydError as error:
                failures[entry.id] = error
            finally:
                mark(entry.id, "")

    for entry in entries:
        mark(entry.id, action.doing)
    await asyncio.gather(*(one(entry) for entry in entries))
    return failures
