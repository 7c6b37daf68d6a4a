"""Stored record of a network."""

from __future__ import annotations

from typing import Literal

import msgspec

from pyd_core.model.base import format_time
from pyd_core.model.network import Ipam, IpamConfig, Network, NetworkMember

DEFAULT = "bridge"
"""The network of containers that request none."""
PREDEFINED = ("bridge", "host", "none")
"""Predefined networks."""
MTU_OPTION = "com.docker.network.driver.mtu"
BRIDGE_OPTION = "com.docker.network.bridge."
"""Prefix of a bridge's options."""
DEFAULT_OPTIONS = {
    f"{BRIDGE_OPTION}default_bridge": "true",
    f"{BRIDGE_OPTION}enable_icc": "true",
    f"{BRIDGE_OPTION}enable_ip_masquerade": "true",
    f"{BRIDGE_OPTION}host_binding_ipv4": "0.0.0.0",  # noqa: S104 - only displayed
    MTU_OPTION: "1500",
}
"""Options that inspect shows for the default network in addition to its own."""
INTERFACE_DRIVERS = {"bridge", "macvlan", "ipvlan"}
"""Drivers that give a container an interface."""
Driver = Literal["bridge", "host", "null", "macvlan", "ipvlan"]


class NetworkRecord(msgspec.Struct, kw_only=True):
    """Network in the store."""

    id: str
    name: str
    driver: Driver
    created_ns: int
    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    subnet6: str = ""
    """Its IPv6 subnet; empty if it has none."""
    gateway6: str = ""
    ip_range6: str = ""
    interface: str = ""
    """Interface on the host: the bridge, or the parent of the containers' macvlan and ipvlan interfaces."""
    internal: bool = False
    attachable: bool = False
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    reserved: dict[str, str] = {}
    """Addresses that containers get only on request, by the names from its creator."""
    ipam_options: dict[str, str] | None = None
    """Options from its creator; they have no effect."""
    own_subnet: bool = False
    """Whether its creator chose the subnet."""
    own_subnet6: bool = False
    made_parent: bool = False
    """Whether the VLAN for its interfaces was created by the engine."""

    @property
    def has_name_server(self) -> bool:
        """Whether a name server resolves containers on it: true for all bridges but the default one."""
        return self.driver == "bridge" and self.name != DEFAULT

    @property
    def gateways(self) -> tuple[str, ...]:
        """The addresses on the host, IPv4 and IPv6."""
        return tuple(gateway for gateway in (self.gateway, self.gateway6) if gateway)

    @property
    def mtu(self) -> int:
        """The maximum packet size in bytes; 0 leaves it to the kernel."""
        return int(self.options.get(MTU_OPTION) or 0)

    @property
    def uses_hosts_files(self) -> bool:
        """Whether hosts files list its containers: true where the host has no address for a name server."""
        return self.driver in {"macvlan", "ipvlan"}

    @property
    def has_interfaces(self) -> bool:
        """Whether containers on it have an interface of their own."""
        return self.driver in INTERFACE_DRIVERS

    def view(self, members: dict[str, NetworkMember]) -> Network:
        """Return the network as the API shows it."""
        rows = ((self.subnet, self.gateway, self.ip_range), (self.subnet6, self.gateway6, self.ip_range6))
        config = [
            IpamConfig(
                subnet=net,
                gateway=gateway,
                ip_range=ip_range,
                auxiliary_addresses={
                    key: address for key, address in self.reserved.items() if (":" in address) == (":" in net)
                },
            )
            for net, gateway, ip_range in rows
            if net
        ]
        return Network(
            id=self.id,
            name=self.name,
            created=format_time(self.created_ns),
            scope="local",
            driver=self.driver,
            enable_ipv6=bool(self.subnet6),
            ipam=Ipam(driver="default", config=config, options=self.ipam_options),
            internal=self.internal,
            attachable=self.attachable,
            containers=members,
            options=DEFAULT_OPTIONS | self.options if self.name == DEFAULT else self.options,
            labels=self.labels,
        )
