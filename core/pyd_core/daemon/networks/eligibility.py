"""Checks for connecting and disconnecting containers, with Docker Engine's messages, which clients match.

See `updateNetworkSettings`, `ConnectToNetwork` and `DisconnectFromNetwork` of its daemon.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.record import PREDEFINED, NetworkRecord
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.model.network import EndpointSettings

SHARED_NAMESPACE = (
    "container sharing network namespace with another container or host cannot be connected to any other network"
)
NO_NETWORK = "container cannot be connected to multiple networks with one of the networks in private (none) mode"
HOST_NETWORK = "container cannot be disconnected from host network or connected to host network"


def check_connect(record: ContainerRecord, network: NetworkRecord) -> None:
    """Refuse a network that conflicts with a container's others.

    Raises:
        InvalidInput: One of them is `host` or `none`, or belongs to another container.
    """
    modes = {record.network_mode, *record.networks}
    if network.name == "host" and "host" not in modes:
        raise InvalidInput(HOST_NETWORK)
    if "host" in modes or record.network_mode.startswith("container:"):
        raise InvalidInput(SHARED_NAMESPACE)
    if "none" in modes or network.name == "none":
        raise InvalidInput(NO_NETWORK)


def check_disconnect(record: ContainerRecord, network: NetworkRecord) -> None:
    """Refuse to disconnect a container from a network it isn't on, or from the host's while it runs.

    Raises:
        InvalidInput: It runs on the host's network.
        EngineError: It isn't on the network.
    """
    if record.running and record.network_mode == "host" and network.name == "host":
        raise InvalidInput(HOST_NETWORK)
    if network.name not in record.networks:
        which = "network" if record.running else "the network"
        raise EngineError(f"container {record.id} is not connected to {which} {network.name}")


def check_settings(network: NetworkRecord, endpoint: EndpointSettings, *, prefix: str) -> None:
    """Check endpoint settings: addresses, and aliases where the network supports them.

    Args:
        network: The network.
        endpoint: The requested settings.
        prefix: The start of the message, such as `invalid config for network NAME: `.

    Raises:
        InvalidInput: A setting is invalid; the message lists all of them.
    """
    problems = list(_find_problems(network, endpoint))
    if problems:
        listed = problems[0] if len(problems) == 1 else "\n".join(f"* {problem}" for problem in problems)
        raise InvalidInput(f"{prefix}invalid endpoint settings:\n{listed}")


def _find_problems(network: NetworkRecord, endpoint: EndpointSettings) -> list[str]:
    problems: list[str] = []
    if endpoint.aliases and not (network.has_name_server or network.uses_hosts_files):
        problems.append("network-scoped alias is supported only for containers in user defined networks")
    if endpoint.mac_address and not addresses.MAC_ADDRESS.fullmatch(endpoint.mac_address):
        problems.append(f"invalid MAC address {endpoint.mac_address[:40]}")
    requested = endpoint.ipam_config
    if requested is None:
        return problems
    if network.name in PREDEFINED and (requested.ipv4_address or requested.ipv6_address):
        problems.append("user specified IP address is supported on user defined networks only")
    if requested.ipv4_address:
        problems += _address_problems(
            "IPv4", _check_ipv4, requested.ipv4_address, network.subnet, own=network.own_subnet
        )
    if requested.ipv6_address:
        problems += _address_problems(
            "IPv6", _check_ipv6, requested.ipv6_address, network.subnet6, own=network.own_subnet6
        )
    problems += [
        f"invalid link-local IP address: {address[:60]}"
        for address in requested.link_local_ips
        if not _parses(_check_link_local, address)
    ]
    return list(dict.fromkeys(problems))


def _address_problems(kind: str, parse: Callable[[str], object], text: str, subnet: str, *, own: bool) -> list[str]:
    valid = _parses(parse, text)
    problems = [] if valid else [f"invalid {kind} address: {text[:60]}"]
    if not own:
        return [
            *problems,
            "user specified IP address is supported only when connecting to networks with user configured subnets",
        ]
    return _subnet_problems(text, subnet) if valid else problems


def _check_ipv4(text: str) -> None:
    if IPv4Address(text).is_unspecified:
        raise ValueError(text)


def _check_ipv6(text: str) -> None:
    address = IPv6Address(text)
    if address.is_unspecified or address.ipv4_mapped:
        raise ValueError(text)


def _check_link_local(text: str) -> None:
    if not ip_address(text).is_link_local:
        raise ValueError(text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _subnet_problems(text: str, subnet: str) -> list[str]:
    try:
        addresses.parse_address(text, addresses.parse_subnet(subnet))
    except InvalidInput as error:
        return [error.message]
    return []
