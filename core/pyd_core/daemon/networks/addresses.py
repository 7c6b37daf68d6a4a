"""Allocation and validation of subnets and addresses: pure functions of those in use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_interface, ip_network

from pyd_core.errors import Conflict, InvalidInput

Net = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

POOLS = (ip_network("10.201.0.0/16"), ip_network("10.202.0.0/16"), ip_network("192.168.128.0/17"))
"""Pools for new subnets, apart from Docker's own pools."""
PREFIX_LENGTH = 24
MAC_ADDRESS = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
"""MAC address of a network interface."""


def parse_subnet(text: str) -> Net:
    """Parse a subnet.

    Raises:
        InvalidInput: It is not a subnet, or too small.
    """
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidInput(f"invalid subnet {text[:60]}: invalid CIDR block notation") from error
    if int(network.network_address) != int(ip_interface(text).ip):
        raise InvalidInput(f"invalid subnet {text[:60]}: it should be {network}")
    if network.prefixlen > network.max_prefixlen - 2:
        raise InvalidInput(f"invalid subnet {text[:60]}: too small for a gateway and a container")
    return network


def parse_subnet4(text: str) -> IPv4Network:
    """Parse an IPv4 subnet.

    Raises:
        InvalidInput: It is not a subnet, too small, or IPv6.
    """
    network = parse_subnet(text)
    if not isinstance(network, IPv4Network):
        raise InvalidInput(f"invalid subnet {text[:60]}: it is one of IPv6")
    return network


def parse_address(text: str, within: Net) -> Address:
    """Parse an address of a subnet.

    Raises:
        InvalidInput: It is not an address, or lies outside.
    """
    try:
        parsed = ip_address(text)
    except ValueError as error:
        raise InvalidInput(f"invalid address {text[:60]}: {error}") from error
    if parsed.version != within.version or parsed not in within:
        raise InvalidInput(f"invalid address {text[:60]}: It does not belong to the subnet {within}")
    return parsed


def free_subnet(taken: Iterable[Net]) -> IPv4Network:
    """Return the first IPv4 subnet of the pools that overlaps none of those in use.

    Raises:
        Conflict: All subnets are in use.
    """
    used = [network for network in taken if isinstance(network, IPv4Network)]
    for pool in POOLS:
        for candidate in pool.subnets(new_prefix=PREFIX_LENGTH):
            if not any(candidate.overlaps(other) for other in used):
                assert isinstance(candidate, IPv4Network)  # noqa: S101 - all pools are IPv4
                return candidate
    raise Conflict("could not find an available, non-overlapping IPv4 address pool", hint="give --subnet")


def local_subnet(key: str) -> IPv6Network:
    """Return a network's unique local IPv6 subnet (RFC 4193), from 56 bits of its hexadecimal id."""
    return IPv6Network((int(f"fd{key[:14]}", 16) << 64, 64))


def free_address(net: Net, taken: Collection[Address], *, within: Net | None = None) -> Address:
    """Return the lowest free address.

    Raises:
        Conflict: All addresses are in use.
    """
    for candidate in (within or net).hosts():
        if candidate not in taken and candidate != net.network_address:
            return candidate
    raise Conflict(f"no available IPv{net.version} addresses on this network's address pool: {net}")


def derive_mac(address_: Address) -> str:
    """Return a MAC address derived from the end of an IP address, locally administered like Docker's (`02:42:…`)."""
    return ":".join(f"{part:02x}" for part in (0x02, 0x42, *address_.packed[-4:]))
