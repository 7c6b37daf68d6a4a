"""Choosing subnets and addresses: pure functions over what is taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from pyd_core.errors import Conflict, InvalidInput

POOLS = (ip_network("10.201.0.0/16"), ip_network("10.202.0.0/16"), ip_network("192.168.128.0/17"))
"""Where subnets are taken from: out of the way of Docker's own pools."""
SIZE = 24


def subnet(text: str) -> IPv4Network:
    """Reads a subnet.

    Raises:
        InvalidInput: It is none, or not IPv4.
    """
    try:
        found = ip_network(text, strict=True)
    except ValueError as error:
        raise InvalidInput(f"invalid subnet {text[:60]}: {error}") from error
    if not isinstance(found, IPv4Network):
        raise InvalidInput(f"invalid subnet {text[:60]}: IPv6 isn't served by this engine yet")
    if found.prefixlen > 30:
        raise InvalidInput(f"invalid subnet {text[:60]}: too small for a gateway and a container")
    return found


def address(text: str, within: IPv4Network) -> IPv4Address:
    """Reads an address of a subnet.

    Raises:
        InvalidInput: It is none, or lies outside.
    """
    try:
        found = ip_address(text)
    except ValueError as error:
        raise InvalidInput(f"invalid address {text[:60]}: {error}") from error
    if not isinstance(found, IPv4Address) or found not in within:
        raise InvalidInput(f"invalid address {text[:60]}: It does not belong to the subnet {within}")
    return found


def free_subnet(taken: Iterable[IPv4Network]) -> IPv4Network:
    """Returns the first subnet of the pools that overlaps none of those taken.

    Raises:
        Conflict: All are.
    """
    used = list(taken)
    for pool in POOLS:
        for candidate in pool.subnets(new_prefix=SIZE):
            if not any(candidate.overlaps(other) for other in used):
                assert isinstance(candidate, IPv4Network)  # noqa: S101 - the pools are
                return candidate
    raise Conflict("could not find an available, non-overlapping IPv4 address pool", hint="give --subnet")


def free_address(net: IPv4Network, taken: Collection[IPv4Address], *, within: IPv4Network | None = None) -> IPv4Address:
    """Returns the lowest free address.

    Raises:
        Conflict: All are taken.
    """
    for candidate in (within or net).hosts():
        if candidate not in taken and candidate != net.network_address:
            return candidate
    raise Conflict(f"no available IPv4 addresses on this network's address pool: {net}")


def hardware(found: IPv4Address) -> str:
    """A hardware address made from an IPv4 one, locally administered as Docker's are (`02:42:…`)."""
    return ":".join(f"{part:02x}" for part in (0x02, 0x42, *found.packed))
