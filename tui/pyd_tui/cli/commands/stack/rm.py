"""`pyd stack rm`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from pyd_core.model.service import STACK
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.cli.swarm.names import StackName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command(
    "rm", cls=PydCommand, examples=(("pyd stack rm shop", "remove its services, secrets, configs and networks"),)
)
@click.argument("names", nargs=-1, required=True, type=StackName(), metavar="STACK...")
@pass_state
def command(state: State, /, *, names: tuple[str, ...]) -> int:
    """Remove one or more stacks: their services, secrets, configs and networks."""
    return run_on_each(state, names, _remove, resolve=keep_name)


async def _remove(engine: EngineClient, name: str) -> None:
    in_stack = {"label": [f"{STACK}={name}"]}
    services = await engine.services.list(filters=in_stack)
    secrets = await engine.secrets.list(filters=in_stack)
    configs = await engine.configs.list(filters=in_stack)
    networks = await engine.networks.list(filters=in_stack)
    if not (services or secrets or configs or networks):
        raise NotFound(f"nothing found in stack: {safe(name)}", hint="pyd stack ls", reference="no-such-stack")
    for service in services:
        await engine.services.remove(service.id)
    for secret in secrets:
        await engine.secrets.remove(secret.id)
    for config in configs:
        await engine.configs.remove(config.id)
    for network in networks:
        await engine.networks.remove(network.id)
