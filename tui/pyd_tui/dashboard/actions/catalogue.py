"""The actions on containers as data: their words, conditions and calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pyd_core.client.provider import Provider, engine_of, removal_of, restarting_of, stopping_of
from pyd_core.cliparse.fields import parse_int
from pyd_core.cliparse.limits import parse_cpus, parse_restart
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.render.containers import ACTIVE_STATES

MIN_MEMORY_BYTES = 6 << 20
"""The smallest memory limit that Docker Engine sets (moby, daemon/daemon_unix.go)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action on containers.

    Attributes:
        verb: The word of the question: `remove`.
        doing: The word on the row while it runs: `removing`.
        done: The word of the report: `removed`.
        run: Runs the action on one container.
        asks: Whether it always asks, because it can't be undone.
        interrupts: Whether it interrupts a container's work; the settings then say whether it asks.
        inverse: The name of the action that undoes it; empty if none does.
        effect: What undoing does: `starts it again`.
        applies: Returns whether the action makes sense for a container.
        otherwise: A message and a hint for a container that it makes no sense for.
    """

    verb: str
    doing: str
    done: str
    run: Callable[[Provider, ContainerInfo], Awaitable[object]]
    asks: bool = False
    interrupts: bool = False
    inverse: str = ""
    effect: str = ""
    applies: Callable[[ContainerInfo], bool] = lambda _: True
    otherwise: tuple[str, str] = ("", "")


def _is_active(entry: ContainerInfo) -> bool:
    return entry.state in ACTIVE_STATES


_NOT_RUNNING = ("isn't running", "r starts it")

ACTIONS = {
    "start": Action(
        verb="start",
        doing="starting",
        done="started",
        run=lambda engine, entry: engine_of(engine).containers.start(entry.id),
        inverse="stop",
        effect="stops it again",
        applies=lambda entry: not _is_active(entry),
        otherwise=("is running", "s stops it, r restarts it"),
    ),
    "stop": Action(
        verb="stop",
        doing="stopping",
        done="stopped",
        run=lambda engine, entry: stopping_of(engine).stop(entry.id),
        interrupts=True,
        inverse="start",
        effect="starts it again",
        applies=_is_active,
        otherwise=_NOT_RUNNING,
    ),
    "restart": Action(
        verb="restart",
        doing="restarting",
        done="restarted",
        run=lambda engine, entry: restarting_of(engine).restart(entry.id),
        interrupts=True,
    ),
    "pause": Action(
        verb="pause",
        doing="pausing",
        done="paused",
        run=lambda engine, entry: engine_of(engine).containers.pause(entry.id),
        interrupts=True,
        inverse="resume",
        effect="resumes it",
        applies=lambda entry: entry.state in {"running", "restarting"},
        otherwise=_NOT_RUNNING,
    ),
    "resume": Action(
        verb="resume",
        doing="resuming",
        done="resumed",
        run=lambda engine, entry: engine_of(engine).containers.unpause(entry.id),
        applies=lambda entry: entry.state == "paused",
        otherwise=("isn't paused", "p pauses it"),
    ),
    "remove": Action(
        verb="remove",
        doing="removing",
        done="removed",
        run=lambda engine, entry: removal_of(engine).remove(entry.id, force=True),
        asks=True,
    ),
}


def suited(name: str, entries: Sequence[ContainerInfo]) -> Action:
    """Return the action of a key for these containers: `r` starts what doesn't run, `p` resumes what is paused."""
    if name == "restart" and entries and not any(map(_is_active, entries)):
        return ACTIONS["start"]
    if name == "pause" and entries and all(entry.state == "paused" for entry in entries):
        return ACTIONS["resume"]
    return ACTIONS[name]


_ENDING_SIGNALS = frozenset({"KILL", "TERM", "INT", "QUIT", "ABRT", "9", "15", "2", "3", "6"})
"""Signals that end a main process that doesn't handle them."""


def kill(signal: str = "KILL") -> Action:
    """Return the action that sends a signal."""
    name = signal.upper().removeprefix("SIG")
    ends = name in _ENDING_SIGNALS
    return Action(
        verb=f"send {name} to",
        doing="killing" if name == "KILL" else "signalling",
        done="killed" if name == "KILL" else f"sent {name} to",
        run=lambda engine, entry: engine_of(engine).containers.kill(entry.id, signal=name),
        interrupts=ends,
        inverse="start" if ends else "",
        effect="starts it again" if ends else "",
        applies=_is_active,
        otherwise=_NOT_RUNNING,
    )


def rename(to: str) -> Action:
    """Return the action that renames a container."""
    return Action(
        verb="rename",
        doing="renaming",
        done=f"gave the name {to} to",
        run=lambda engine, entry: engine_of(engine).containers.rename(entry.id, to),
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
        verb="update",
        doing="updating",
        done=f"set {' '.join(changes)} on",
        run=lambda engine, entry: engine_of(engine).containers.update(entry.id, body),
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
        if isinstance(size := body.get("Memory"), int) and size < MIN_MEMORY_BYTES:
            raise InvalidInput(f"memory={safe(value)} is too small", hint="Docker needs at least 6 MB")
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
    many = f"{len(entries)} containers" if len(entries) > 1 else only
    kills = _kills(entries) if action.verb == "remove" else ""
    return f"{action.verb[:1].upper()}{action.verb[1:]} {many}?{kills}"


def _kills(entries: list[ContainerInfo]) -> str:
    """Return the sentence about the containers that a removal kills; empty if none has processes."""
    states = Counter(entry.state for entry in entries if entry.has_processes)
    total = states.total()
    if not total:
        return ""
    if len(states) == 1 and total == len(entries):
        return f" {'It is' if total == 1 else 'All are'} {next(iter(states))}, and will be killed."
    parts = (
        f"{count} {'is' if count == 1 else 'are'} {state}" for state, count in sorted(states.items(), reverse=True)
    )
    return f" {' and '.join(parts)}{', and' if total == 1 else '; they'} will be killed."
