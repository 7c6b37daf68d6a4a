"""A container's networks, published ports and name resolution."""

from __future__ import annotations

from pyd_core.model.container import Container
from pyd_core.model.network import EndpointSettings
from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.facts import block, fact
from pyd_tui.dashboard.render.pieces import Cell, cell


def connections(container: Container) -> list[Cell]:
    """Return the container's networks with addresses and names, its ports, and how it resolves names."""
    settings, host = container.network_settings, container.host_config
    lines = block("Network", [fact("mode", cell(host.network_mode or "default"))])
    for name, endpoint in settings.networks.items():
        lines += block(safe(name), _endpoint_facts(endpoint))
    lines += block(
        "Ports",
        [
            _port(name, [f"{binding.host_ip}:{binding.host_port}" for binding in bindings or []])
            for name, bindings in settings.ports.items()
        ],
    )
    names = [
        *([fact("hostname", cell(container.config.hostname))] if container.config.hostname else []),
        *(fact("resolver", cell(server)) for server in host.dns),
        *(fact("extra host", cell(entry)) for entry in host.extra_hosts),
    ]
    return lines + block("Names", names)


def _endpoint_facts(endpoint: EndpointSettings) -> list[Cell]:
    address = f"{endpoint.ip_address}/{endpoint.ip_prefix_len}" if endpoint.ip_address else ""
    known: list[str] = [*(endpoint.dns_names or []), *(endpoint.aliases or [])]
    facts = (
        ("address", address or "none while it doesn't run"),
        ("gateway", endpoint.gateway),
        ("IPv6", endpoint.global_ipv6_address),
        ("MAC", endpoint.mac_address),
        ("known as", ", ".join(dict.fromkeys(known))),
    )
    return [fact(label, cell(text)) for label, text in facts if text]


def _port(name: str, bindings: list[str]) -> Cell:
    return fact(safe(name), cell(f"← {', '.join(bindings)}") if bindings else cell("not published", "dim"))
