"""Allocation of addresses to the endpoints of containers and build steps."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.errors import Refused
from pyd_core.model.network import EndpointSettings


class AddressAllocator:
    """Allocates addresses of networks; those of containers are taken while their records have them."""

    def __init__(self, networks: NetworkStore) -> None:
        self._networks = networks
        self._leases: dict[str, set[str]] = {}
        """Addresses of build steps by the network's id: no container of the store has them."""

    def allocate(self, network: NetworkRecord, endpoint: EndpointSettings, version: int) -> addresses.Address:
        """Return the address that an endpoint asks for, or a free one.

        Args:
            network: The network.
            endpoint: The endpoint's settings.
            version: The version of IP: 4 or 6.

        Raises:
            Refused: The requested address is taken, or no address is free.
            InvalidInput: It isn't in the network.
        """
        is_ipv4 = version == 4
        net = addresses.parse_subnet(network.subnet if is_ipv4 else network.subnet6)
        texts = [network.gateway if is_ipv4 else network.gateway6]
        texts += [
            member.ip_address if is_ipv4 else member.global_ipv6_address
            for _, member in self._networks.members(network)
        ]
        texts += [text for text in self._leases.get(network.id, ()) if (":" in text) != is_ipv4]
        taken = {addresses.parse_address(text, net) for text in texts if text}
        reserved = {ip_address(text) for text in network.reserved.values()}
        ipam_config = endpoint.ipam_config
        requested = (ipam_config.ipv4_address if is_ipv4 else ipam_config.ipv6_address) if ipam_config else ""
        if not requested:
            ip_range = network.ip_range if is_ipv4 else network.ip_range6
            return addresses.free_address(
                net, taken | reserved, within=addresses.parse_subnet(ip_range) if ip_range else None
            )
        address = addresses.parse_address(requested, net)
        if address in taken:
            raise Refused("Address already in use")
        return address

    def lease(self, network: NetworkRecord) -> list[addresses.Address]:
        """Return free addresses of a network, its IPv4 one first, and keep others from getting them."""
        leased = [
            self.allocate(network, EndpointSettings(), version) for version in ((4, 6) if network.subnet6 else (4,))
        ]
        self._leases.setdefault(network.id, set()).update(map(str, leased))
        return leased

    def end_lease(self, network_id: str, leased: Iterable[str]) -> None:
        """Let others have leased addresses."""
        self._leases.get(network_id, set()).difference_update(leased)
