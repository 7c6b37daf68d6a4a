"""Ports to publish: `8080:80`, `127.0.0.1:53:53/udp`, `9000-9010:9000-9010`, `target=80,published=8080`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from pyd_core.cliparse.fields import split_fields
from pyd_core.errors import InvalidInput
from pyd_core.model.host_config import PortBinding
from pyd_core.sanitise import safe

PROTOCOLS = ("tcp", "udp", "sctp")
LARGEST = 65535

Bindings = dict[str, list[PortBinding] | None]


def parse_published(given: Iterable[str]) -> Bindings:
    """Return the published bindings, by `PORT/PROTOCOL`.

    Raises:
        InvalidInput: A value can't be read.
    """
    found: Bindings = {}
    for text in given:
        for port, binding in _published(_short_form(text) if "=" in text else text):
            held = found.setdefault(port, [])
            if held is not None:
                held.append(binding)
    return found


def parse_exposed(given: Iterable[str]) -> list[str]:
    """Return `PORT/PROTOCOL` for each exposed port: `80`, `53/udp`, `8000-8010`.

    Raises:
        InvalidInput: A value can't be read.
    """
    found = []
    for text in given:
        if ":" in text:
            raise InvalidInput(f"invalid port format for --expose: {safe(text)}")
        ports, protocol = _protocol(text)
        first, last = _range(ports, text)
        found += [f"{port}/{protocol}" for port in range(first, last + 1)]
    return found


def _published(text: str) -> Iterable[tuple[str, PortBinding]]:
    rest, protocol = _protocol(text)
    rest, _, inside = rest.rpartition(":")
    address, _, outside = rest.rpartition(":")
    if address:
        plain = address[1:-1] if address.startswith("[") and address.endswith("]") else address
        try:
            ipaddress.ip_address(plain)
        except ValueError as error:
            raise InvalidInput(f"invalid address in {safe(text)!r}: {safe(address)}") from error
        address = plain
    first, last = _range(inside, text)
    if not outside:
        return [(f"{port}/{protocol}", PortBinding(host_ip=address)) for port in range(first, last + 1)]
    low, high = _range(outside, text)
    if first == last and low != high:
        return [(f"{first}/{protocol}", PortBinding(host_ip=address, host_port=f"{low}-{high}"))]
    if last - first != high - low:
        raise InvalidInput(f"invalid ranges in {safe(text)!r}: they differ in length")
    return [
        (f"{first + step}/{protocol}", PortBinding(host_ip=address, host_port=str(low + step)))
        for step in range(last - first + 1)
    ]


def _protocol(text: str) -> tuple[str, str]:
    ports, _, protocol = text.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise InvalidInput(f"invalid protocol in {safe(text)!r}", hint=f"choose {', '.join(PROTOCOLS)}")
    return ports, protocol


def _range(text: str, whole: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()):
        raise InvalidInput(f"invalid port in {safe(whole)!r}", hint="write [ADDRESS:][HOST:]CONTAINER[/PROTOCOL]")
    first, last = int(low), int(high or low)
    if not first <= last <= LARGEST:
        raise InvalidInput(f"invalid port in {safe(whole)!r}: not between 0 and {LARGEST}")
    return first, last


def _short_form(text: str) -> str:
    known = {"target": "", "published": "", "protocol": "tcp", "mode": ""}
    for field in split_fields(text):
        name, equals, value = field.partition("=")
        if name not in known or not equals:
            raise InvalidInput(f"invalid field in {safe(text)!r}: {safe(field)}", hint=f"fields are {', '.join(known)}")
        known[name] = value
    published = f"{known['published']}:" if known["published"] else ""
    return f"{published}{known['target']}/{known['protocol']}"
