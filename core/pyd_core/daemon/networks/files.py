"""Network files that are bound into containers: /etc/hosts, /etc/hostname, /etc/resolv.conf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import dns, legacy_links, resolv_conf
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.daemon.userns import Remapping

NAMES = ("hosts", "hostname", "resolv.conf")


class NetworkFiles:
    """The writer of these files."""

    def __init__(self, containers: ContainerLookup, networks: NetworkStore) -> None:
        self._containers = containers
        self._networks = networks

    def write(self, container: EngineContainer) -> None:
        """Write a container's files, and those of others that mention it."""
        self._write(container)
        self.write_others(container)

    def write_others(self, container: EngineContainer) -> None:
        """Rewrite the hosts files of running containers that may list this one, whose address may have changed."""
        for other in self._containers.all():
            if (
                other is not container
                and other.record.running
                and (legacy_links.any_of(other.record) or self._listing(other))
            ):
                self._write(other)

    def server(self, record: ContainerRecord) -> str:
        """Return the address of the name server of a container's networks; empty if none has one."""
        return next((network.gateway for network, _ in self._places(record) if network.resolves), "")

    def _places(self, record: ContainerRecord) -> list[tuple[NetworkRecord, EndpointSettings]]:
        return [(self._networks.find(name), place) for name, place in record.networks.items() if place.ip_address]

    def _listing(self, container: EngineContainer) -> list[NetworkRecord]:
        """Return the networks of a container on which hosts files list its neighbours."""
        networks = (self._networks.find(name) for name, place in container.record.networks.items() if place.endpoint_id)
        return [network for network in networks if network.lists]

    def _neighbours(self, container: EngineContainer) -> list[tuple[str, str]]:
        """Return address and names of each neighbour on those networks."""
        return [
            (address, " ".join(dns.served(place.dns_names or (), network.name)))
            for network in self._listing(container)
            for other, place in self._networks.members(network)
            if other is not container
            for address in (place.ip_address, place.global_ipv6_address)
            if address
        ]

    def _write(self, container: EngineContainer) -> None:
        record = container.record
        places = self._places(record)
        gateway = next((network.gateway for network, _ in places if network.driver == "bridge"), "127.0.0.1")
        own = [text for _, place in places for text in (place.ip_address, place.global_ipv6_address) if text]
        asked = self.server(record)
        within = record.network_mode == "host"
        texts = {
            "hosts": dns.hosts(
                record,
                own,
                gateway,
                [*legacy_links.hosts(self._containers, self._networks, record), *self._neighbours(container)],
            ),
            "hostname": f"{record.config.hostname}\n",
            "resolv.conf": resolv_conf.plan(record.host, resolv_conf.of_host(within=within), asked, within=within),
        }
        for name, text in texts.items():
            file = container.directory / name
            file.write_text(text)
            file.chmod(0o644)

    def bound(self, container: EngineContainer, remapping: Remapping | None) -> dict[str, str]:
        """Return the binds of its files, target to source. Containers that share a network namespace share the
        files."""
        mode = container.record.network_mode
        owner = self._containers.find(mode.partition(":")[2]) if mode.startswith("container:") else container
        directory = owner.directory if remapping is None else remapping.seen(owner.directory)
        return {f"/etc/{name}": str(directory / name) for name in NAMES}
