"""Settings of endpoints: those to store, and the interface that they describe."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.record import SHORT_ID_LENGTH, ContainerRecord
from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.address_allocator import AddressAllocator
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.linux.netlink import InterfaceSpec


def plan_interface(
    config: DaemonConfig,
    allocator: AddressAllocator,
    record: ContainerRecord,
    network: NetworkRecord,
    name: str,
    *,
    has_route: bool,
) -> tuple[InterfaceSpec, EndpointSettings]:
    """Allocate addresses and plan an interface.

    Args:
        config: Settings of the engine.
        allocator: Allocates the addresses.
        record: The container's record.
        network: The network.
        name: Name of the interface in the container.
        has_route: Whether the container already has a default route.

    Returns:
        The interface, and the endpoint's settings to store.
    """
    from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

    settings = record.networks[network.name]
    ipv4 = allocator.allocate(network, settings, 4)
    ipv6 = allocator.allocate(network, settings, 6) if network.subnet6 else None
    prefix = addresses.parse_subnet(network.subnet).prefixlen
    prefix6 = addresses.parse_subnet(network.subnet6).prefixlen if ipv6 else 0
    endpoint_id = secrets.token_hex(32)
    wants_route = not has_route and not network.internal
    interface = netlink.InterfaceSpec(
        host=config.link("v", endpoint_id),
        name=name,
        kind="veth" if network.driver == "bridge" else network.driver,
        mode=network.options.get(f"{network.driver}_mode", ""),
        on=network.interface,
        addresses=[
            (str(ipv4), prefix),
            *([(str(ipv6), prefix6)] if ipv6 else []),
            *_link_local_addresses(settings),
        ],
        mtu=network.mtu,
        hardware="" if network.driver == "ipvlan" else settings.mac_address or addresses.derive_mac(ipv4),
        gateways=network.gateways if wants_route else (),
    )
    return interface, msgspec.structs.replace(
        settings,
        network_id=network.id,
        endpoint_id=endpoint_id,
        gateway=network.gateway,
        ip_address=str(ipv4),
        ip_prefix_len=prefix,
        ipv6_gateway=network.gateway6,
        global_ipv6_address=str(ipv6) if ipv6 else "",
        global_ipv6_prefix_len=prefix6,
        mac_address=interface.hardware,
        dns_names=dns_names(record, settings) if network.has_name_server or network.uses_hosts_files else None,
    )


def stored_settings(settings: EndpointSettings, network: NetworkRecord) -> EndpointSettings:
    """Return the settings to store; empty ones become None, as clients that compare them expect."""
    return msgspec.structs.replace(
        settings,
        network_id=network.id,
        endpoint_id="",
        aliases=settings.aliases or None,
        links=settings.links or None,
        driver_opts=settings.driver_opts or None,
    )


def _link_local_addresses(endpoint: EndpointSettings) -> list[tuple[str, int]]:
    """Return the requested link-local addresses, with their prefix lengths (RFC 3927, RFC 4291)."""
    requested = endpoint.ipam_config.link_local_ips if endpoint.ipam_config else []
    return [(address, 64 if ":" in address else 16) for address in requested]


def dns_names(record: ContainerRecord, endpoint: EndpointSettings) -> list[str]:
    """Return the names by which others on a network can reach a container."""
    return list(
        dict.fromkeys([record.name, *(endpoint.aliases or []), record.id[:SHORT_ID_LENGTH], record.config.hostname])
    )


def requested_mac(endpoint: EndpointSettings) -> str:
    """Return the requested MAC address; empty if it was derived from the IP address."""
    is_derived = endpoint.ip_address and endpoint.mac_address == addresses.derive_mac(ip_address(endpoint.ip_address))
    return "" if is_derived else endpoint.mac_address
