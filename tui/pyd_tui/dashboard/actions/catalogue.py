"""The actions on containers as data: their words, conditions and calls."""

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
    """An action on containers.

    Attributes:
        verb: The word of the question: `remove`.
        doing: The word on the row while it runs: `removing`.
        done: The word of the report: `removed`.
        run: Runs the action on one container.
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
    """Return the action that sends a signal."""
    name = signal.upper().removeprefix("SIG")
    return Action(
        f"send {name} to",
        "killing" if name == "KILL" else "signalling",
        f"sent {name} to",
        lambda engine, entry: engine.containers.kill(entry.id, signal=name),
    )


def rename(to: str) -> Action:
    """Return the action that renames a container."""
    return Action(
        "rename", "renaming", f"gave the name {to} to", lambda engine, entry: engine.containers.rename(entry.id, to)
    )


def update(changes: Sequence[str]) -> Action:
    """Return the action that changes limits and the restart policy.

    Args:
        changes: `memory=512m`, `cpus=1.5`, `pids=100`, `restart=no|always|unless-stopped|on-failure[:3]`.

    Raises:
        InvalidInput: A change isn't any of these.
    """
    body = limits(changes)
    return Action(
        "update",
        "updating",
        f"updated {' '.join(changes)} of",
        lambda engine, entry: engine.containers.update(entry.id, body),
    )


def limits(changes: Sequence[str]) -> dict[str, object]:
    """Return the fields of a `HostConfig` (Engine API) for limits as `update` takes them.

    Raises:
        InvalidInput: A limit can't be parsed.
    """
    body: dict[str, object] = {}
    for change in changes:
        name, _, value = change.partition("=")
        body |= _limit(name, value)
    return body


def _limit(name: str, value: str) -> dict[str, object]:
    """Return the part of an update's body (Engine API, `ContainerUpdate`) for one change."""
    try:
        if value and (body := _read(name, value)):
            return body
    except InvalidInput:  # reported below in the words of this command
        pass
    raise InvalidInput(
        f"can't update {safe(name)} to {safe(value) or 'nothing'}",
        hint="write memory=512m, cpus=1.5, pids=100, restart=always",
    )


def _read(name: str, value: str) -> dict[str, object]:
    """Parse one value as the command line does; return nothing for an unknown name or a value that is no limit."""
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
    """Return the question before an action; `only` is the name of a single container."""
    running = sum(entry.has_processes for entry in entries)
    many = f"{len(entries)} containers" if len(entries) > 1 else only
    kills = ""
    if action.verb == "remove" and running:
        who = "It is" if len(entries) == 1 else "All are" if running == len(entries) else f"{running} of them are"
        kills = f" {who} running, and will be killed."
    return f"{action.verb[:1].upper()}{action.verb[1:]} {many}?{kills}"
