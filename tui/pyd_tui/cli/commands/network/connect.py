"""`pyd network connect`."""

from __future__ import annotations

import click

from pyd_core.client.engine_client import EngineClient
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.model.network import EndpointIpam, EndpointSettings
from pyd_tui.cli.objects.bulk import container_id
from pyd_tui.cli.objects.names import ContainerName, NetworkName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json


@click.command(
    "connect",
    cls=PydCommand,
    examples=(("pyd network connect --alias db app web", "connect web to app, with the alias db"),),
)
@click.argument("network", type=NetworkName())
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.option("--alias", "aliases", multiple=True, metavar="NAME", help="Network alias of the container.")
@click.option("--ip", default="", metavar="ADDRESS", help="IPv4 address of the container.")
@click.option("--ip6", default="", metavar="ADDRESS", help="IPv6 address of the container.")
@click.option("--link-local-ip", "local", multiple=True, metavar="ADDRESS", help="Link-local address of the container.")
@click.option("--link", "links", multiple=True, metavar="CONTAINER[:ALIAS]", help="Link to another container.")
@click.option("--driver-opt", "options", multiple=True, metavar="NAME=VALUE", help="Driver option.")
@pass_state
def command(
    state: State,
    /,
    *,
    network: str,
    name: str,
    aliases: tuple[str, ...],
    ip: str,
    ip6: str,
    local: tuple[str, ...],
    links: tuple[str, ...],
    options: tuple[str, ...],
) -> None:
    """Connect a container to a network."""
    addresses = EndpointIpam(ipv4_address=ip, ipv6_address=ip6, link_local_ips=list(local))
    settings = EndpointSettings(
        ipam_config=addresses if addresses != EndpointIpam() else None,
        aliases=list(aliases) or None,
        links=list(links) or None,
        driver_opts=parse_pairs(options) or None,
    )

    async def connect(engine: EngineClient) -> None:
        await engine.networks.connect(network, await container_id(engine, name), settings)

    state.ask(connect)
    if state.json:
        write_json({"network": network, "container": name, "connected": True})
