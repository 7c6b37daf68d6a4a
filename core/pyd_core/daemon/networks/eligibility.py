"""Checks for connecting and disconnecting containers, with Docker Engine's messages, which clients match.

See `updateNetworkSettings`, `ConnectToNetwork` and `DisconnectFromNetwork` of its daemon.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.record import FIXED, NetworkRecord
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.model.network import EndpointSettings

SHARED = "container sharing network namespace with another container or host cannot be connected to any other network"
WITHOUT = "container cannot be connected to multiple networks with one of the networks in private (none) mode"
OF_HOST = "container cannot be disconnected from host network or connected to host network"


def check_connect(record: ContainerRecord, network: NetworkRecord) -> None:
    """Refuse a network that conflicts with a container's others.

    Raises:
        InvalidInput: One of them is `host` or `none`, or belongs to another container.
    """
    modes = {record.network_mode, *record.networks}
    if network.name == "host" and "host" not in modes:
        raise InvalidInput(OF_HOST)
    if "host" in modes or record.network_mode.startswith("container:"):
        raise InvalidInput(SHARED)
    if "none" in modes or network.name == "none":
        raise InvalidInput(WITHOUT)


def check_disconnect(record: ContainerRecord, network: NetworkRecord) -> None:
    """Refuse to disconnect a container from a network it isn't on, or from the host's while it runs.

    Raises:
        InvalidInput: It runs on the host's network.
        EngineError: It isn't on the network.
    """
    if record.running and record.network_mode == "host" and network.name == "host":
        raise InvalidInput(OF_HOST)
    if network.name not in record.networks:
        which = "network" if record.running else "the network"
        raise EngineError(f"container {record.id} is not connected to {which} {network.name}")


def check_settings(network: NetworkRecord, place: EndpointSettings, *, about: str) -> None:
    """Check endpoint settings: addresses, and aliases where the network supports them.

    Args:
        network: The network.
        endpoint: The requested settings.
        prefix: The start of the message, such as `invalid config for network NAME: `.

    Raises:
        InvalidInput: A setting is invalid; the message lists all of them.
    """
    found = list(_complaints(network, place))
    if found:
        listed = found[0] if len(found) == 1 else "\n".join(f"* {each}" for each in found)
        raise InvalidInput(f"{about}invalid endpoint settings:\n{listed}")


def _complaints(network: NetworkRecord, place: EndpointSettings) -> list[str]:
    found: list[str] = []
    if place.aliases and not (network.resolves or network.lists):
        found.append("network-scoped alias is supported only for containers in user defined networks")
    if place.mac_address and not addresses.HARDWARE.fullmatch(place.mac_address):
        found.append(f"invalid MAC address {place.mac_address[:40]}")
    asked = place.ipam_config
    if asked is None:
        return found
    if network.name in FIXED and (asked.ipv4_address or asked.ipv6_address):
        found.append("user specified IP address is supported on user defined networks only")
    if asked.ipv4_address:
        found += _about_address("IPv4", _four, asked.ipv4_address, network.subnet, own=network.own_subnet)
    if asked.ipv6_address:
        found += _about_address("IPv6", _six, asked.ipv6_address, network.subnet6, own=network.own_subnet6)
    found += [
        f"invalid link-local IP address: {each[:60]}" for each in asked.link_local_ips if not _parses(_link_local, each)
    ]
    return list(dict.fromkeys(found))


def _about_address(kind: str, parse: Callable[[str], object], text: str, subnet: str, *, own: bool) -> list[str]:
    valid = _parses(parse, text)
    found = [] if valid else [f"invalid {kind} address: {text[:60]}"]
    if not own:
        return [
            *found,
            "user specified IP address is supported only when connecting to networks with user configured subnets",
        ]
    return _outside(text, subnet) if valid else found


def _four(text: str) -> None:
    if IPv4Address(text).is_unspecified:
        raise ValueError(text)


def _six(text: str) -> None:
    address = IPv6Address(text)
    if address.is_unspecified or address.ipv4_mapped:
        raise ValueError(text)


def _link_local(text: str) -> None:
    if not ip_address(text).is_link_local:
        raise ValueError(text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _outside(text: str, subnet: str) -> list[str]:
    try:
        addresses.address(text, addresses.subnet(subnet))
    except InvalidInput as error:
        return [error.message]
    return []
