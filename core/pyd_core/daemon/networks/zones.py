"""Zones of the name server: the names of each network, and those that links give to others for one container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.record import SHORT_ID_LENGTH
from pyd_core.daemon.networks import dns, legacy_links
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.model.network import EndpointSettings


def plan(networks: NetworkStore, containers: ContainerLookup) -> list[dns.Zone]:
    """Return the zones of all networks with name resolution."""
    zones: list[dns.Zone] = []
    for network in (network_ for network_ in networks.all() if network_.has_name_server):
        members = [
            _member(container, endpoint, dns.network_names(endpoint.dns_names or (), network.name))
            for container, endpoint in networks.members(network)
        ]
        zones += [_zone(network.id, network, members), *_link_zones(networks, containers, network)]
    return zones


def _link_zones(networks: NetworkStore, containers: ContainerLookup, network: NetworkRecord) -> Iterator[dns.Zone]:
    """Yield a zone for each container with links: the server resolves for a container the names it is listed with."""
    for container, endpoint in networks.members(network):
        members = [
            _member(other, other_endpoint, dns.network_names([alias], network.name))
            for other, alias in legacy_links.linked_on(containers, container.record, network)
            if (other_endpoint := other.record.networks.get(network.name)) and other_endpoint.endpoint_id
        ]
        if members:
            key = f"{network.id[:SHORT_ID_LENGTH]}-{container.id[:SHORT_ID_LENGTH]}"
            yield _zone(key, network, [_member(container, endpoint, [container.id]), *members], shares_addresses=True)


def _zone(
    key: str, network: NetworkRecord, members: Iterable[dns.Member], *, shares_addresses: bool = False
) -> dns.Zone:
    return dns.Zone(
        name=key,
        gateways=network.gateways,
        internal=network.internal,
        members=tuple(members),
        shares_addresses=shares_addresses,
    )


def _member(container: EngineContainer, endpoint: EndpointSettings, names: Iterable[str]) -> dns.Member:
    return dns.Member(
        key=container.id,
        ipv4=endpoint.ip_address,
        ipv6=endpoint.global_ipv6_address,
        names=tuple(names),
        servers=tuple(container.record.host.dns),
    )
