"""Bulk actions: the same on several objects, as in `start`, `stop` and `rm`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from pyd_core.errors import EngineUnavailable, PydError
from pyd_core.sanitise import safe
from pyd_tui.console import failures
from pyd_tui.console.global_options import State
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.provider import Provider

MAX_CONCURRENT_ACTIONS = 16
"""Concurrent actions: an engine gains nothing from more."""

Action = Callable[["EngineClient", str], Awaitable[object]]
"""Acts on a container, given by id, or on another object."""


class ActionResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an action on one object in `--json` output."""

    name: str
    """The name as the user typed it."""
    id: str | None = None
    ok: bool = True
    error: str | None = None
    reference: str | None = None


async def keep_name(engine: Provider, name: str) -> str:  # noqa: ARG001 - has the signature of `container_id`
    """Return a name unchanged, for the engine to resolve."""
    return name


async def container_id(engine: Provider, name: str) -> str:
    """Return the id of the container that a name or an id's prefix refers to."""
    from pyd_core.client.names import resolve_container

    return (await resolve_container(engine, name)).id


def run_on_each(
    state: State,
    names: Sequence[str],
    action: Action,
    *,
    resolve: Callable[[EngineClient, str], Awaitable[str]] = container_id,
) -> int:
    """Run an action on each container or other object of an engine; see `run_on_each_container`.

    Raises:
        Unsupported: The provider is no engine.
    """
    from pyd_core.client.provider import engine_of

    async def resolve_on_engine(provider: Provider, name: str) -> str:
        return await resolve(engine_of(provider), name)

    async def act_on_engine(provider: Provider, name: str) -> None:
        await action(engine_of(provider), name)

    return run_on_each_container(state, names, act_on_engine, resolve=resolve_on_engine)


def run_on_each_container(
    state: State,
    names: Sequence[str],
    action: Callable[[Provider, str], Awaitable[object]],
    *,
    resolve: Callable[[Provider, str], Awaitable[str]] = container_id,
) -> int:
    """Run an action on each container or other object, and continue with the others if one fails.

    Names are written to stdout as they are done, errors to stderr.

    Returns:
        The exit code: 0 if all succeeded, else the highest of the errors'.

    Raises:
        EngineUnavailable: The engine can't be reached.
    """
    exit_code = 0
    results: list[ActionResult] = []

    async def run_on_one(engine: Provider, name: str) -> None:
        nonlocal exit_code
        object_id: str | None = None
        try:
            object_id = await resolve(engine, name)
            await action(engine, object_id)
        except EngineUnavailable:
            raise
        except PydError as error:
            exit_code = max(exit_code, failures.exit_code(error))
            results.append(
                ActionResult(name=name, id=object_id, ok=False, error=error.message, reference=error.reference)
            )
            if not state.json:
                failures.report(error, subject=name)
        else:
            results.append(ActionResult(name=name, id=object_id))
            if not state.json:
                write(f"{safe(name)}\n")

    async def run_on_all(engine: Provider) -> None:
        import asyncio  # a single object needs no event loop

        slots = asyncio.Semaphore(MAX_CONCURRENT_ACTIONS)

        async def run_in_slot(name: str) -> None:
            async with slots:
                await run_on_one(engine, name)

        await asyncio.gather(*map(run_in_slot, names))

    unique_names = list(dict.fromkeys(names))
    if len(unique_names) == 1:
        state.ask_provider(lambda engine: run_on_one(engine, unique_names[0]))
    else:
        names = unique_names
        state.run_provider(run_on_all)
    if state.json:
        order = {name: index for index, name in enumerate(unique_names)}
        write_json(sorted(results, key=lambda result: order[result.name]))
    return exit_code
