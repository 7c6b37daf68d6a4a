"""Ports to publish: `8080:80`, `127.0.0.1:53:53/udp`, `9000-9010:9000-9010`, `target=80,published=8080`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from pyd_core.cliparse.fields import split_fields
from pyd_core.errors import InvalidInput
from pyd_core.model.host_config import PortBinding
from pyd_core.sanitise import safe

PROTOCOLS = ("tcp", "udp", "sctp")
MAX_PORT = 65535

Bindings = dict[str, list[PortBinding] | None]


def parse_published(texts: Iterable[str]) -> Bindings:
    """Return the published bindings, by `PORT/PROTOCOL`.

    Raises:
        InvalidInput: A value can't be read.
    """
    published: Bindings = {}
    for text in texts:
        for port, binding in _parse_binding(_short_form(text) if "=" in text else text):
            bindings = published.setdefault(port, [])
            if bindings is not None:
                bindings.append(binding)
    return published


def parse_exposed(texts: Iterable[str]) -> list[str]:
    """Return `PORT/PROTOCOL` for each exposed port: `80`, `53/udp`, `8000-8010`.

    Raises:
        InvalidInput: A value can't be read.
    """
    exposed = []
    for text in texts:
        if ":" in text:
            raise InvalidInput(f"invalid port format for --expose: {safe(text)}")
        ports, protocol = _split_protocol(text)
        first, last = _parse_range(ports, text)
        exposed += [f"{port}/{protocol}" for port in range(first, last + 1)]
    return exposed


def _parse_binding(text: str) -> Iterable[tuple[str, PortBinding]]:
    rest, protocol = _split_protocol(text)
    rest, _, container_ports = rest.rpartition(":")
    address, _, host_ports = rest.rpartition(":")
    if address:
        bare_address = address[1:-1] if address.startswith("[") and address.endswith("]") else address
        try:
            ipaddress.ip_address(bare_address)
        except ValueError as error:
            raise InvalidInput(f"invalid address in {safe(text)!r}: {safe(address)}") from error
        address = bare_address
    first, last = _parse_range(container_ports, text)
    if not host_ports:
        return [(f"{port}/{protocol}", PortBinding(host_ip=address)) for port in range(first, last + 1)]
    low, high = _parse_range(host_ports, text)
    if first == last and low != high:
        return [(f"{first}/{protocol}", PortBinding(host_ip=address, host_port=f"{low}-{high}"))]
    if last - first != high - low:
        raise InvalidInput(f"invalid ranges in {safe(text)!r}: they differ in length")
    return [
        (f"{first + step}/{protocol}", PortBinding(host_ip=address, host_port=str(low + step)))
        for step in range(last - first + 1)
    ]


def _split_protocol(text: str) -> tuple[str, str]:
    ports, _, protocol = text.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise InvalidInput(f"invalid protocol in {safe(text)!r}", hint=f"choose {', '.join(PROTOCOLS)}")
    return ports, protocol


def _parse_range(text: str, whole: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()):
        raise InvalidInput(f"invalid port in {safe(whole)!r}", hint="write [ADDRESS:][HOST:]CONTAINER[/PROTOCOL]")
    first, last = int(low), int(high or low)
    if not first <= last <= MAX_PORT:
        raise InvalidInput(f"invalid port in {safe(whole)!r}: not between 0 and {MAX_PORT}")
    return first, last


def _short_form(text: str) -> str:
    values = {"target": "", "published": "", "protocol": "tcp", "mode": ""}
    for field in split_fields(text):
        name, equals, value = field.partition("=")
        if name not in values or not equals:
            raise InvalidInput(
                f"invalid field in {safe(text)!r}: {safe(field)}", hint=f"fields are {', '.join(values)}"
            )
        values[name] = value
    published = f"{values['published']}:" if values["published"] else ""
    return f"{published}{values['target']}/{values['protocol']}"
