"""`pyd node|service|secret|config inspect`: everything an engine tells of a swarm's object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from pyd_tui.cli.commands.inspect import write_documents
from pyd_tui.cli.global_options import State
from pyd_tui.cli.swarmkit.names import ConfigName, NodeName, SecretName, ServiceName
from pyd_tui.console.command import Verb

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient


def _verb(kind: str, argument: click.ParamType[str], fetch: Callable[[EngineClient, str], Awaitable[bytes]]) -> Verb:
    def work(ctx: click.Context, /, *, names: tuple[str, ...], format: str, **_: Any) -> None:
        state = ctx.ensure_object(State)

        async def ask(engine: EngineClient) -> list[bytes]:
            return [await fetch(engine, name) for name in names]

        write_documents(state, state.ask(ask), format)

    callback: Callable[..., None] = click.pass_context(work)
    return Verb(
        name="inspect",
        callback=callback,
        params=[
            click.Argument(["names"], nargs=-1, required=True, type=argument, metavar="NAME..."),
            click.Option(["-f", "--format"], default="", metavar="TEMPLATE", help="json, or a Go template."),
            click.Option(["--pretty"], is_flag=True, help="For people: it is indented anyhow."),
        ],
        help=f"Show all there is to know about a {kind}, as JSON: a list with one document each.",
        examples=((f"pyd {kind} inspect -f '{{{{.ID}}}}' NAME", "one part of it"),),
    )


async def _node(engine: EngineClient, name: str) -> bytes:
    if name == "self":
        name = (await engine.system.info()).swarm.node_id
    return await engine.nodes.inspect_raw(name)


nodes = _verb("node", NodeName(), _node)
services = _verb("service", ServiceName(), lambda engine, name: engine.services.inspect_raw(name))
secrets = _verb("secret", SecretName(), lambda engine, name: engine.secrets.inspect_raw(name))
configs = _verb("config", ConfigName(), lambda engine, name: engine.configs.inspect_raw(name))
