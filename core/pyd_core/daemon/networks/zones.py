"""Zones of the name server: the names of each network, and those that links give to others for one container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.networks import dns, legacy_links
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.model.network import EndpointSettings

_KEY = 12
"""Length of the ids in a file's name."""


def plan(networks: NetworkStore, containers: ContainerLookup) -> list[dns.Zone]:
    """Return the zones of all networks with name resolution."""
    found: list[dns.Zone] = []
    for network in (each for each in networks.all() if each.resolves):
        members = [
            _member(container, place, dns.served(place.dns_names or (), network.name))
            for container, place in networks.members(network)
        ]
        found += [_zone(network.id, network, members), *_of_links(networks, containers, network)]
    return found


def _of_links(networks: NetworkStore, containers: ContainerLookup, network: NetworkRecord) -> Iterator[dns.Zone]:
    """Yield a zone for each container with links: the server resolves for a container the names it is listed with."""
    for container, place in networks.members(network):
        members = [
            _member(other, there, dns.served([alias], network.name))
            for other, alias in legacy_links.on_network(containers, container.record, network)
            if (there := other.record.networks.get(network.name)) and there.endpoint_id
        ]
        if members:
            key = f"{network.id[:_KEY]}-{container.id[:_KEY]}"
            yield _zone(key, network, [_member(container, place, [container.id]), *members], borrowed=True)


def _zone(key: str, network: NetworkRecord, members: Iterable[dns.Member], *, borrowed: bool = False) -> dns.Zone:
    return dns.Zone(
        name=key,
        gateways=network.gateways,
        internal=network.internal,
        members=tuple(members),
        borrowed=borrowed,
    )


def _member(container: EngineContainer, place: EndpointSettings, own: Iterable[str]) -> dns.Member:
    return dns.Member(
        key=container.id,
        four=place.ip_address,
        six=place.global_ipv6_address,
        names=tuple(own),
        servers=tuple(container.record.host.dns),
    )
