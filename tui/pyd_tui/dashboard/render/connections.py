"""A container's networks, published ports and name resolution."""

from __future__ import annotations

from pyd_core.model.container import Container
from pyd_core.model.network import EndpointSettings
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.pieces import Cell, cell


def connections(found: Container) -> list[Cell]:
    """Return the container's networks with addresses and names, its ports, and how it resolves names."""
    settings, host = found.network_settings, found.host_config
    lines = block("Network", [fact("mode", cell(host.network_mode or "default"))])
    for name, place in settings.networks.items():
        lines += block(safe(name), _place(place))
    lines += block(
        "Ports",
        [
            _port(name, [f"{one.host_ip}:{one.host_port}" for one in bindings or []])
            for name, bindings in settings.ports.items()
        ],
    )
    names = [
        *([fact("hostname", cell(found.config.hostname))] if found.config.hostname else []),
        *(fact("resolver", cell(server)) for server in host.dns),
        *(fact("extra host", cell(entry)) for entry in host.extra_hosts),
    ]
    return lines + block("Names", names)


def _place(place: EndpointSettings) -> list[Cell]:
    address = f"{place.ip_address}/{place.ip_prefix_len}" if place.ip_address else ""
    known: list[str] = [*(place.dns_names or []), *(place.aliases or [])]
    facts = (
        ("address", address or "none while it doesn't run"),
        ("gateway", place.gateway),
        ("IPv6", place.global_ipv6_address),
        ("MAC", place.mac_address),
        ("known as", ", ".join(dict.fromkeys(known))),
    )
    return [fact(label, cell(text)) for label, text in facts if text]


def _port(name: str, bound: list[str]) -> Cell:
    return fact(safe(name), cell(f"← {', '.join(bound)}") if bound else cell("not published", "dim"))
