"""Networks, and containers' endpoints on them."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class EndpointIpam(ApiStruct):
    """Addresses that a container requests."""

    SPEC: ClassVar[str] = "EndpointIPAMConfig"

    ipv4_address: str = msgspec.field(name="IPv4Address", default="")
    ipv6_address: str = msgspec.field(name="IPv6Address", default="")
    link_local_ips: list[str] = msgspec.field(name="LinkLocalIPs", default_factory=list)


class EndpointSettings(ApiStruct):
    """Endpoint of a container on a network."""

    SPEC: ClassVar[str] = "EndpointSettings"

    ipam_config: EndpointIpam | None = msgspec.field(name="IPAMConfig", default=None)
    links: list[str] | None = None
    aliases: list[str] | None = None
    mac_address: str = ""
    network_id: str = msgspec.field(name="NetworkID", default="")
    endpoint_id: str = msgspec.field(name="EndpointID", default="")
    gateway: str = ""
    ip_address: str = msgspec.field(name="IPAddress", default="")
    ip_prefix_len: int = msgspec.field(name="IPPrefixLen", default=0)
    ipv6_gateway: str = msgspec.field(name="IPv6Gateway", default="")
    global_ipv6_address: str = msgspec.field(name="GlobalIPv6Address", default="")
    global_ipv6_prefix_len: int = msgspec.field(name="GlobalIPv6PrefixLen", default=0)
    dns_names: list[str] | None = msgspec.field(name="DNSNames", default=None)
    driver_opts: dict[str, str] | None = None


class IpamConfig(ApiStruct):
    """Address range of a network."""

    SPEC: ClassVar[str] = "IPAMConfig"

    subnet: str = ""
    ip_range: str = msgspec.field(name="IPRange", default="")
    gateway: str = ""
    auxiliary_addresses: dict[str, str] = {}
    """Addresses used by others, by host name."""


class Ipam(ApiStruct):
    """Address management of a network."""

    SPEC: ClassVar[str] = "IPAM"

    driver: str = ""
    config: list[IpamConfig] = []
    options: dict[str, str] | None = None


class NetworkMember(ApiStruct):
    """Running container on a network."""

    SPEC: ClassVar[str] = "NetworkContainer"

    name: str = ""
    endpoint_id: str = msgspec.field(name="EndpointID", default="")
    mac_address: str = ""
    ipv4_address: str = msgspec.field(name="IPv4Address", default="")
    """With the prefix length: `172.17.0.2/16`."""
    ipv6_address: str = msgspec.field(name="IPv6Address", default="")


class Network(ApiStruct):
    """Network; only inspect fills `containers`."""

    SPEC: ClassVar[str] = "Network"

    id: str
    name: str = ""
    created: str = ""
    scope: str = ""
    """`local`, `swarm` or `global`."""
    driver: str = ""
    enable_ipv6: bool = msgspec.field(name="EnableIPv6", default=False)
    ipam: Ipam = msgspec.field(name="IPAM", default_factory=Ipam)
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    containers: dict[str, NetworkMember] = {}
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class NetworkCreated(ApiStruct):
    """Response to creating a network."""

    SPEC: ClassVar[str] = "POST /networks/create 201"

    id: str
    warning: str = ""


class NetworksPruned(ApiStruct):
    """Response to pruning networks: names of the removed ones."""

    SPEC: ClassVar[str] = "POST /networks/prune 200"

    networks_deleted: list[str] = []


class ConfigReference(ApiStruct):
    """Network that another takes its configuration from."""

    SPEC: ClassVar[str] = "ConfigReference"

    network: str = ""


class NetworkBody(ApiStruct):
    """Body of `POST /networks/create`."""

    SPEC: ClassVar[str] = "POST /networks/create body"

    name: str = ""
    check_duplicate: bool = False
    """Before API 1.44: refuse a second network of that name."""
    driver: str = "bridge"
    scope: str = ""
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    config_only: bool = False
    config_from: ConfigReference | None = None
    enable_ipv6: bool = msgspec.field(name="EnableIPv6", default=False)
    ipam: Ipam | None = msgspec.field(name="IPAM", default=None)
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class ConnectBody(ApiStruct):
    """Body of `POST /networks/{id}/connect`."""

    SPEC: ClassVar[str] = "POST /networks/{id}/connect body"

    container: str = ""
    endpoint_config: EndpointSettings | None = None


class DisconnectBody(ApiStruct):
    """Body of `POST /networks/{id}/disconnect`."""

    SPEC: ClassVar[str] = "POST /networks/{id}/disconnect body"

    container: str = ""
    force: bool = False
