"""Which names the name server knows: those of each network, and those that links give to others for one container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.networks import dns, legacy_links
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

_KEY = 12
"""Digits of an id in the name of a file."""


def plan(daemon: Engine) -> list[dns.Zone]:
    """Plans the zones of all networks with names."""
    found: list[dns.Zone] = []
    for network in (each for each in daemon.networks.all() if each.resolves):
        members = [
            _member(container, place, dns.served(place.dns_names or (), network.name))
            for container, place in daemon.networks.members(network)
        ]
        found += [_zone(network.id, network, members), *_of_links(daemon, network)]
    return found


def _of_links(daemon: Engine, network: NetworkRecord) -> Iterator[dns.Zone]:
    """Yields a zone for each container with links: the server tells a container the names of those it is listed in."""
    for container, place in daemon.networks.members(network):
        members = [
            _member(other, there, dns.served([alias], network.name))
            for other, alias in legacy_links.on_network(daemon, container.record, network)
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
