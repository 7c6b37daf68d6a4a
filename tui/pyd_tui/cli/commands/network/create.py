"""`pyd network create`."""

from __future__ import annotations

import click

from pyd_core.cliparse.fields import parse_pairs
from pyd_core.errors import InvalidInput
from pyd_core.model.network import ConfigReference, Ipam, IpamConfig, NetworkBody
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "create",
    cls=PydCommand,
    examples=(
        ("pyd network create app", "create a bridge with name resolution between containers"),
        ("pyd network create --subnet 10.9.0.0/24 --gateway 10.9.0.1 app", "create one with a subnet"),
        ("pyd network create --internal closed", "create one without external access"),
    ),
)
@click.argument("name", metavar="NETWORK")
@click.option("-d", "--driver", default="bridge", metavar="NAME", help="Driver of the network.", show_default=True)
@click.option("-o", "--opt", "options", multiple=True, metavar="NAME=VALUE", help="Driver option.")
@click.option("--subnet", "subnets", multiple=True, metavar="CIDR", help="Subnet in CIDR notation.")
@click.option("--gateway", "gateways", multiple=True, metavar="ADDRESS", help="Gateway of the subnet.")
@click.option(
    "--ip-range",
    "ranges",
    multiple=True,
    metavar="CIDR",
    help="Range of the subnet from which containers get addresses.",
)
@click.option(
    "--aux-address", "others", multiple=True, metavar="NAME=ADDRESS", help="Auxiliary address of the IPAM driver."
)
@click.option("--ipam-driver", default="default", metavar="NAME", help="IPAM driver.")
@click.option("--ipam-opt", "ipam_options", multiple=True, metavar="NAME=VALUE", help="IPAM driver option.")
@click.option("--internal", is_flag=True, help="Restrict external access to the network.")
@click.option("--attachable", is_flag=True, help="Allow manual attachment of containers to a swarm network.")
@click.option("--ingress", is_flag=True, help="Create the routing-mesh network of the swarm.")
@click.option("--ipv6", is_flag=True, help="Enable IPv6.")
@click.option("--scope", default="", metavar="SCOPE", help="Scope of the network: local or swarm.")
@click.option("--config-only", is_flag=True, help="Create a configuration-only network.")
@click.option("--config-from", default="", metavar="NETWORK", help="Network to copy the configuration from.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@pass_state
def command(
    state: State,
    /,
    *,
    name: str,
    driver: str,
    options: tuple[str, ...],
    subnets: tuple[str, ...],
    gateways: tuple[str, ...],
    ranges: tuple[str, ...],
    others: tuple[str, ...],
    ipam_driver: str,
    ipam_options: tuple[str, ...],
    internal: bool,
    attachable: bool,
    ingress: bool,
    ipv6: bool,
    scope: str,
    config_only: bool,
    config_from: str,
    labels: tuple[str, ...],
) -> None:
    """Create a network."""
    body = NetworkBody(
        name=name,
        driver=driver,
        options=parse_pairs(options),
        ipam=Ipam(
            driver=ipam_driver,
            config=address_ranges(subnets, gateways, ranges, others),
            options=parse_pairs(ipam_options),
        ),
        internal=internal,
        attachable=attachable,
        ingress=ingress,
        enable_ipv6=ipv6,
        scope=scope,
        config_only=config_only,
        config_from=ConfigReference(network=config_from) if config_from else None,
        labels=parse_pairs(labels),
    )
    network_id = state.ask(lambda engine: engine.networks.create(body))
    if state.json:
        write_json({"Id": network_id})
    else:
        write(f"{safe(network_id)}\n")


def address_ranges(
    subnets: tuple[str, ...], gateways: tuple[str, ...], ranges: tuple[str, ...], auxiliary: tuple[str, ...]
) -> list[IpamConfig]:
    """Return the IPAM configuration of each subnet: its gateway, range and auxiliary addresses.

    Raises:
        InvalidInput: An address is malformed, or is in no subnet.
    """
    import ipaddress

    def containing_subnet(text: str) -> str:
        try:
            address = ipaddress.ip_interface(text)
            return next(subnet for subnet in subnets if address.ip in ipaddress.ip_network(subnet, strict=False))
        except ValueError as error:
            raise InvalidInput(f"not an address: {safe(text)}") from error
        except StopIteration:
            raise InvalidInput(f"no subnet contains {safe(text)}", hint="add one with --subnet") from None

    reserved = parse_pairs(auxiliary)
    by_gateway = {containing_subnet(text): text for text in gateways}
    by_range = {containing_subnet(text): text for text in ranges}
    by_auxiliary: dict[str, dict[str, str]] = {}
    for host, address in reserved.items():
        by_auxiliary.setdefault(containing_subnet(address), {})[host] = address
    return [
        IpamConfig(
            subnet=subnet,
            gateway=by_gateway.get(subnet, ""),
            ip_range=by_range.get(subnet, ""),
            auxiliary_addresses=by_auxiliary.get(subnet, {}),
        )
        for subnet in subnets
    ]
