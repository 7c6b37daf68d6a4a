"""Bulk actions: the same on several objects, as in `start`, `stop` and `rm`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from pyd_core import bulk
from pyd_core.bulk import Outcome
from pyd_core.errors import EngineUnavailable
from pyd_core.sanitise import safe
from pyd_tui.console import failures
from pyd_tui.console.global_options import State
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.client.provider import Provider

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

    @classmethod
    def of(cls, outcome: Outcome[str], object_id: str | None) -> ActionResult:
        """Return the result for an outcome and the object's id, if it was found."""
        error = outcome.error
        if error is None:
            return cls(name=outcome.item, id=object_id)
        return cls(name=outcome.item, id=object_id, ok=False, error=error.message, reference=error.reference)


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
    unique_names = list(dict.fromkeys(names))
    ids: dict[str, str] = {}

    async def run_on_one(engine: Provider, name: str) -> None:
        ids[name] = await resolve(engine, name)
        await action(engine, ids[name])

    def report(outcome: Outcome[str]) -> None:
        if isinstance(outcome.error, EngineUnavailable):
            raise outcome.error
        if state.json:
            return
        if outcome.error is None:
            write(f"{safe(outcome.item)}\n")
        else:
            failures.report(outcome.error, subject=outcome.item)

    async def run_on_single(engine: Provider) -> list[Outcome[str]]:
        outcome = await bulk.run_on_one(partial(run_on_one, engine), unique_names[0])
        report(outcome)
        return [outcome]

    async def run_on_all(engine: Provider) -> list[Outcome[str]]:
        return await bulk.run_on_each(partial(run_on_one, engine), unique_names, on_outcome=report)

    outcomes = state.ask_provider(run_on_single) if len(unique_names) == 1 else state.run_provider(run_on_all)
    if state.json:
        write_json([ActionResult.of(outcome, ids.get(outcome.item)) for outcome in outcomes])
    return max((failures.exit_code(outcome.error) for outcome in outcomes if outcome.error is not None), default=0)
