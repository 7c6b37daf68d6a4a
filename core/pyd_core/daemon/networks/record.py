"""What is remembered of a network."""

from __future__ import annotations

from typing import Literal

import msgspec

from pyd_core.model.base import format_time
from pyd_core.model.network import Ipam, IpamConfig, Network, NetworkMember

DEFAULT = "bridge"
"""The network of a container that asks for none."""
FIXED = ("bridge", "host", "none")
"""Networks that always exist."""


class NetworkRecord(msgspec.Struct, kw_only=True):
    """A network as the store holds it."""

    id: str
    name: str
    driver: Literal["bridge", "host", "null"]
    created_ns: int
    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    interface: str = ""
    """The bridge on the host."""
    internal: bool = False
    attachable: bool = False
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    own_subnet: bool = False
    """Whether its creator named the subnet."""

    @property
    def resolves(self) -> bool:
        """Whether containers on it find each other by name: on all but the default bridge."""
        return self.driver == "bridge" and self.name != DEFAULT

    def view(self, members: dict[str, NetworkMember]) -> Network:
        """How the API shows it."""
        config = [IpamConfig(subnet=self.subnet, gateway=self.gateway, ip_range=self.ip_range)] if self.subnet else []
        return Network(
            id=self.id,
            name=self.name,
            created=format_time(self.created_ns),
            scope="local",
            driver=self.driver,
            ipam=Ipam(driver="default", config=config),
            internal=self.internal,
            attachable=self.attachable,
            containers=members,
            options=self.options,
            labels=self.labels,
        )
