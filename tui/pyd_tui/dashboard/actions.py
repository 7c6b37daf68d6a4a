"""What can be done to containers: words, conditions and the call itself, as data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pyd_core.engine.client import Engine
from pyd_core.errors import InvalidInput, PydError
from pyd_core.fleet.entry import Entry
from pyd_core.sanitise import safe

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
    run: Callable[[Engine, Entry], Awaitable[object]]
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


def kill(signal: str = "KILL") -> Action:
    """Sends a signal."""
    name = signal.upper().removeprefix("SIG")
    return Action(
        f"send {name} to",
        "killing" if name == "KILL" else "signalling",
        f"sent {name} to",
        lambda engine, entry: engine.containers.kill(entry.id, signal=name),
    )


def rename(to: str) -> Action:
    """Gives another name."""
    return Action(
        "rename", "renaming", f"gave the name {to} to", lambda engine, entry: engine.containers.rename(entry.id, to)
    )


def update(changes: Sequence[str]) -> Action:
    """Changes limits and the restart policy.

    Args:
        changes: `memory=512m`, `cpus=1.5`, `pids=100`, `restart=no|always|unless-stopped|on-failure[:3]`.

    Raises:
        InvalidInput: One of them isn't any of these.
    """
    body: dict[str, object] = {}
    for change in changes:
        name, _, value = change.partition("=")
        body |= _limit(name, value)
    return Action(
        "update",
        "updating",
        f"updated {' '.join(changes)} of",
        lambda engine, entry: engine.containers.update(entry.id, body),
    )


_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([bkmg]?)b?", re.IGNORECASE)
_RESTART = re.compile(r"(no|always|unless-stopped|on-failure)(?::(\d+))?")


def _limit(name: str, value: str) -> dict[str, object]:
    """The part of an update's body (Engine API, `ContainerUpdate`) that one change stands for."""
    match name:
        case "memory" if (found := _SIZE.fullmatch(value)) and float(found[1]) > 0:
            wanted = int(float(found[1]) * _UNITS[found[2].lower()])
            return {
                "Memory": wanted,
                "MemorySwap": 2 * wanted,
            }  # as a new container gets it; else the old one is in the way
        case "cpus" if re.fullmatch(r"\d+(\.\d+)?", value) and float(value) > 0:
            return {"NanoCpus": int(float(value) * 1e9)}
        case "pids" if re.fullmatch(r"-1|[1-9]\d*", value):
            return {"PidsLimit": int(value)}
        case "restart" if found := _RESTART.fullmatch(value):
            return {"RestartPolicy": {"Name": found[1], "MaximumRetryCount": int(found[2] or 0)}}
        case _:
            raise InvalidInput(
                f"can't update {safe(name)} to {safe(value) or 'nothing'}",
                hint="write memory=512m, cpus=1.5, pids=100, restart=always",
            )


def question(action: Action, entries: list[Entry]) -> str:
    """Returns what to ask before it is done."""
    running = sum(entry.alive for entry in entries)
    many = f"{len(entries)} containers" if len(entries) > 1 else entries[0].name
    kills = ""
    if action.verb == "remove" and running:
        who = "It is" if len(entries) == 1 else "All are" if running == len(entries) else f"{running} of them are"
        kills = f" {who} running, and will be killed."
    return f"{action.verb[:1].upper()}{action.verb[1:]} {many}?{kills}"


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
