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

FILE_NAMES = ("hosts", "hostname", "resolv.conf")


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
                and (legacy_links.has_links(other.record) or self._listing_networks(other))
            ):
                self._write(other)

    def server(self, record: ContainerRecord) -> str:
        """Return the address of the name server of a container's networks; empty if none has one."""
        return next((network.gateway for network, _ in self._connected_networks(record) if network.has_name_server), "")

    def _connected_networks(self, record: ContainerRecord) -> list[tuple[NetworkRecord, EndpointSettings]]:
        return [
            (self._networks.find(name), endpoint) for name, endpoint in record.networks.items() if endpoint.ip_address
        ]

    def _listing_networks(self, container: EngineContainer) -> list[NetworkRecord]:
        """Return the networks of a container on which hosts files list its neighbours."""
        networks = (
            self._networks.find(name) for name, endpoint in container.record.networks.items() if endpoint.endpoint_id
        )
        return [network for network in networks if network.uses_hosts_files]

    def _neighbours(self, container: EngineContainer) -> list[tuple[str, str]]:
        """Return address and names of each neighbour on those networks."""
        return [
            (address, " ".join(dns.network_names(endpoint.dns_names or (), network.name)))
            for network in self._listing_networks(container)
            for other, endpoint in self._networks.members(network)
            if other is not container
            for address in (endpoint.ip_address, endpoint.global_ipv6_address)
            if address
        ]

    def _write(self, container: EngineContainer) -> None:
        record = container.record
        endpoints = self._connected_networks(record)
        gateway = next((network.gateway for network, _ in endpoints if network.driver == "bridge"), "127.0.0.1")
        addresses = [
            text for _, endpoint in endpoints for text in (endpoint.ip_address, endpoint.global_ipv6_address) if text
        ]
        name_server = self.server(record)
        on_host_network = record.network_mode == "host"
        texts = {
            "hosts": dns.hosts_file(
                record,
                addresses,
                gateway,
                [*legacy_links.host_entries(self._containers, self._networks, record), *self._neighbours(container)],
            ),
            "hostname": f"{record.config.hostname}\n",
            "resolv.conf": resolv_conf.plan(
                record.host,
                resolv_conf.read_host_file(on_host_network=on_host_network),
                name_server,
                on_host_network=on_host_network,
            ),
        }
        for name, text in texts.items():
            file = container.directory / name
            file.write_text(text)
            file.chmod(0o644)

    def bound(self, container: EngineContainer, remapping: Remapping | None) -> dict[str, str]:
        """Return the binds of its files, target to source; a shared network namespace shares the files."""
        mode = container.record.network_mode
        owner = self._containers.find(mode.partition(":")[2]) if mode.startswith("container:") else container
        directory = owner.directory if remapping is None else remapping.mapped_path(owner.directory)
        return {f"/etc/{name}": str(directory / name) for name in FILE_NAMES}
