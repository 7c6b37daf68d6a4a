"""The labels in which nerdctl keeps what containerd has no field for: ports and networks. Every client can set them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pyd_core.model.container import Port, SummaryNetworks
from pyd_core.model.network import EndpointSettings

PORTS = "nerdctl/ports"
NETWORKS = "nerdctl/networks"
MAX_LABEL_BYTES = 1 << 16
MAX_PORTS = 1000
MAX_NETWORKS = 100
MAX_PORT = 65535
_PROTOCOLS = frozenset({"tcp", "udp", "sctp"})


class _PortMapping(msgspec.Struct, frozen=True, rename="pascal"):
    host_port: int = 0
    container_port: int = 0
    protocol: str = "tcp"
    host_ip: str = msgspec.field(name="HostIP", default="")


def ports_of(labels: Mapping[str, str]) -> list[Port]:
    """Return the published ports; none where the label is missing or damaged."""
    text = labels.get(PORTS, "")
    try:
        mappings = msgspec.json.decode(text, type=list[_PortMapping]) if 0 < len(text) <= MAX_LABEL_BYTES else []
    except msgspec.DecodeError:
        return []
    return [
        Port(
            private_port=mapping.container_port,
            type=mapping.protocol,
            public_port=mapping.host_port,
            ip=mapping.host_ip,
        )
        for mapping in mappings[:MAX_PORTS]
        if 0 < mapping.container_port <= MAX_PORT
        and 0 < mapping.host_port <= MAX_PORT
        and mapping.protocol in _PROTOCOLS
    ]


def networks_of(labels: Mapping[str, str]) -> SummaryNetworks:
    """Return the networks by name; none where the label is missing or damaged."""
    text = labels.get(NETWORKS, "")
    try:
        names = msgspec.json.decode(text, type=list[str]) if 0 < len(text) <= MAX_LABEL_BYTES else []
    except msgspec.DecodeError:
        return SummaryNetworks()
    return SummaryNetworks(networks={name: EndpointSettings() for name in names[:MAX_NETWORKS] if name})
