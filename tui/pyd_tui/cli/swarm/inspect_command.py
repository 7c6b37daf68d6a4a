"""The `inspect` commands of nodes, services, secrets and configs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from pyd_tui.cli.objects.inspect import write_documents
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient


Fetch = Callable[["EngineClient", str], Awaitable[bytes]]
"""Returns the engine's JSON of an object, by name or id."""


def inspect_command(kind: str, argument: click.ParamType[str], fetch: Fetch) -> PydCommand:
    """Return the `inspect` command of one kind of object in a swarm."""

    def work(ctx: click.Context, /, *, names: tuple[str, ...], format: str, **_: Any) -> None:
        state = ctx.ensure_object(State)

        async def fetch_all(engine: EngineClient) -> list[bytes]:
            return [await fetch(engine, name) for name in names]

        write_documents(state, state.ask(fetch_all), format)

    callback: Callable[..., None] = click.pass_context(work)
    return PydCommand(
        name="inspect",
        callback=callback,
        params=[
            click.Argument(["names"], nargs=-1, required=True, type=argument, metavar="NAME..."),
            click.Option(["-f", "--format"], default="", metavar="TEMPLATE", help="json, or a Go template."),
            click.Option(["--pretty"], is_flag=True, help="No effect: output is always indented."),
        ],
        help=f"Show detailed information on one or more {kind}s as a JSON array.",
        examples=((f"pyd {kind} inspect -f '{{{{.ID}}}}' NAME", "show one field"),),
    )
