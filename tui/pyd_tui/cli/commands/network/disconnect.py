"""`pyd network disconnect`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.cli.objects.names import ContainerName, NetworkName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json


@click.command(
    "disconnect", cls=PydCommand, examples=(("pyd network disconnect -f app web", "even if its endpoint is broken"),)
)
@click.argument("network", type=NetworkName())
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.option("-f", "--force", is_flag=True, help="Disconnect whatever the state of the endpoint.")
@pass_state
def command(state: State, /, *, network: str, name: str, force: bool) -> None:
    """Disconnect a container from a network."""

    async def disconnect(engine: EngineClient) -> None:
        await engine.networks.disconnect(network, await container_id(engine, name), force=force)

    state.ask(disconnect)
    if state.json:
        write_json({"network": network, "container": name, "connected": False})
