"""`pyd port`."""

from __future__ import annotations

import click

from pyd_core.client.provider import Provider
from pyd_core.errors import NotFound
from pyd_core.model.container import Container
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "port",
    cls=PydCommand,
    examples=(
        ("pyd port web", "list all published ports"),
        ("pyd port web 80/tcp", "show one port"),
    ),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.argument("port", required=False, metavar="[PORT[/PROTOCOL]]")
@pass_state
def command(state: State, /, *, name: str, port: str | None) -> None:
    """List the published ports of a container, or show one."""

    async def ask(engine: Provider) -> Container:
        return await engine.containers.inspect(await container_id(engine, name))

    published = state.ask_provider(ask).network_settings.ports
    if port is not None:
        key = port if "/" in port else f"{port}/tcp"
        if not published.get(key):
            raise NotFound(f"no public port {safe(key)} published for {safe(name)}", hint=f"pyd port {safe(name)}")
        published = {key: published[key]}
    if state.json:
        write_json(published)
        return
    for container_port, bindings in sorted(published.items()):
        for binding in bindings or []:
            host = f"[{binding.host_ip}]" if ":" in binding.host_ip else binding.host_ip
            line = f"{host}:{binding.host_port}"
            write(f"{safe(line if port else f'{container_port} -> {line}')}\n")
