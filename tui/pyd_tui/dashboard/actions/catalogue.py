"""What can be done to containers: words, conditions and the call itself, as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.fields import parse_int
from pyd_core.cliparse.limits import parse_cpus, parse_restart
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo


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
    run: Callable[[EngineClient, ContainerInfo], Awaitable[object]]
    asks: bool = False


async def _pause(engine: EngineClient, entry: ContainerInfo) -> None:
    await (engine.containers.unpause(entry.id) if entry.state == "paused" else engine.containers.pause(entry.id))


ACTIONS = {
    "start": Action("start", "starting", "started", lambda engine, entry: engine.containers.start(entry.id)),
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
    body = limits(changes)
    return Action(
        "update",
        "updating",
        f"updated {' '.join(changes)} of",
        lambda engine, entry: engine.containers.update(entry.id, body),
    )


def limits(changes: Sequence[str]) -> dict[str, object]:
    """Returns fields of a `HostConfig` (Engine API) for limits as `update` takes them.

    Raises:
        InvalidInput: One of them isn't any.
    """
    body: dict[str, object] = {}
    for change in changes:
        name, _, value = change.partition("=")
        body |= _limit(name, value)
    return body


def _limit(name: str, value: str) -> dict[str, object]:
    """The part of an update's body (Engine API, `ContainerUpdate`) that one change stands for."""
    try:
        if value and (body := _read(name, value)):
            return body
    except InvalidInput:  # said below in the words of this command
        pass
    raise InvalidInput(
        f"can't update {safe(name)} to {safe(value) or 'nothing'}",
        hint="write memory=512m, cpus=1.5, pids=100, restart=always",
    )


def _read(name: str, value: str) -> dict[str, object]:
    """Reads one value as the command line does; empty where it would be no limit, or there is no such name."""
    match name:
        case "memory" if (size := parse_size(value)) > 0:
            return {
                "Memory": size,
                "MemorySwap": 2 * size,
            }  # as a new container gets it
        case "cpus" if (cpus := parse_cpus(value)) > 0:
            return {"NanoCpus": cpus}
        case "pids" if (count := parse_int(value, name, minimum=-1)) != 0:
            return {"PidsLimit": count}
        case "restart":
            policy = parse_restart(value)
            return {"RestartPolicy": {"Name": policy.name, "MaximumRetryCount": policy.maximum_retry_count}}
        case _:
            return {}


def question(action: Action, entries: list[ContainerInfo], only: str) -> str:
    """Returns what to ask before it is done; `only` is what to call it if it is a single one."""
    running = sum(entry.has_processes for entry in entries)
    many = f"{len(entries)} containers" if len(entries) > 1 else only
    kills = ""
    if action.verb == "remove" and running:
        who = "It is" if len(entries) == 1 else "All are" if running == len(entries) else f"{running} of them are"
        kills = f" {who} running, and will be killed."
    return f"{action.verb[:1].upper()}{action.verb[1:]} {many}?{kills}"
