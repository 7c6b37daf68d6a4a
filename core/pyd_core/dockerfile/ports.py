"""Ports of EXPOSE: `80`, `8000-8005/udp`."""

from __future__ import annotations

import ipaddress

from pyd_core.errors import DockerfileError

MAX_PORT = 65535
PROTOCOLS = ("tcp", "udp", "sctp")


def parse_ports(text: str) -> list[str]:
    """Return the ports, each as `PORT/PROTOCOL`; an address or a host's port before them is checked and dropped.

    Raises:
        DockerfileError: It is not a port or range, or the protocol is unknown.
    """
    address, host_port, container = _parts(text)
    ports, _, protocol = container.partition("/")
    protocol = protocol.lower() or "tcp"
    if not ports:
        raise DockerfileError(f"no port specified: {text[:60]}<empty>")
    if protocol not in PROTOCOLS:
        raise DockerfileError(f"invalid proto: {protocol[:60]}", hint=", ".join(PROTOCOLS))
    if address:
        try:
            ipaddress.ip_address(address.strip("[]"))
        except ValueError:
            raise DockerfileError(f"invalid IP address: {address[:60]}") from None
    first, last = _range("containerPort", ports)
    if host_port:
        host_first, host_last = _range("hostPort", host_port)
        if last - first != host_last - host_first and last != first:
            raise DockerfileError(
                f"invalid ranges specified for container and host Ports: {ports[:40]} and {host_port[:40]}"
            )
    return [f"{port}/{protocol}" for port in range(first, last + 1)]


def _parts(text: str) -> tuple[str, str, str]:
    *address, host_port, container = ["", "", *text.split(":")]
    return ":".join(part for part in address[1:] if part or len(address) > 2).strip(":"), host_port, container


def _range(name: str, text: str) -> tuple[int, int]:
    numbers = text.split("-")
    if len(numbers) > 2 or not all(n.isascii() and n.isdecimal() and len(n) < 6 for n in numbers):
        raise DockerfileError(f"invalid {name}: {text[:60]}")
    first, last = int(numbers[0]), int(numbers[-1])
    if not first <= last <= MAX_PORT:
        raise DockerfileError(f"invalid {name}: {text[:60]}")
    return first, last
