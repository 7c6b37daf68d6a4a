"""Endpoints of containers: network namespace, interfaces, addresses, published ports and names."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.networks import dns, dns_redirect, eligibility, endpoint_plan, legacy_links, zones
from pyd_core.daemon.networks.address_allocator import AddressAllocator
from pyd_core.daemon.networks.collection import HOST_BINDING, NetworkStore
from pyd_core.daemon.networks.files import NetworkFiles
from pyd_core.daemon.networks.network_namespaces import NetworkNamespaces
from pyd_core.daemon.networks.ports import PortReservations
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.errors import Conflict, EngineError, InvalidInput, NotFound, PydError, Refused
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.daemon.userns import Remapping


class Endpoints:
    """Manager of containers' connections to networks."""

    def __init__(
        self,
        *,
        config: DaemonConfig,
        events: EventBus,
        containers: ContainerStore,
        networks: NetworkStore,
        files: NetworkFiles,
        allocator: AddressAllocator,
    ) -> None:
        self._config = config
        self._events = events
        self._containers = containers
        self._networks = networks
        self._files = files
        self._lock = networks.lock
        self._allocator = allocator
        self._namespaces = NetworkNamespaces(config.run / "netns")
        self._server = dns.NameServer(config.run / "dns")
        self._ports = PortReservations()
        self._without_interface: set[str] = set()
        """Containers that run with the host's network or none: on a network in name only."""
        self._leases: dict[str, set[str]] = {}
        """Addresses of build steps by the network's id: no container of the store has them."""

    # Creation

    def resolve_endpoints(
        self, record: ContainerRecord, requested: Mapping[str, EndpointSettings | None]
    ) -> dict[str, EndpointSettings]:
        """Return the settings of the networks that a new container is created on.

        Raises:
            InvalidInput: An address or a link is invalid there.
        """
        mode = record.network_mode
        if mode.startswith("container:"):
            return {}
        endpoints: dict[str, EndpointSettings] = {}
        requests = dict(requested) or {mode: None}
        if mode not in requests and not any(self._find_network(name) is self._find_network(mode) for name in requests):
            requests = {mode: None, **requests}
        for name, request in requests.items():
            network = self._find_network(name)
            if network is None:
                endpoints[name] = EndpointSettings()  # missing: reported at the start, as Docker Engine does
                continue
            settings = request or EndpointSettings()
            eligibility.check_settings(network, settings, prefix=f"invalid config for network {network.name}: ")
            endpoints[network.name] = endpoint_plan.stored_settings(settings, network)
        return endpoints

    def _find_network(self, name: str) -> NetworkRecord | None:
        try:
            return self._networks.find(name)
        except NotFound:
            return None

    # Start and stop

    def namespace_path(self, container: EngineContainer) -> str:
        """Return the file that keeps a container's network namespace alive."""
        return str(self._namespaces.path(container.id))

    async def prepare(self, container: EngineContainer, remapping: Remapping | None) -> dict[str, str]:
        """Prepare a container's network namespace, and the user namespace that owns it if ids are remapped.

        Returns:
            Their paths by the specification's type names.
        """
        record = container.record
        mode = record.network_mode
        if mode.startswith("container:"):
            other = self._containers.find(mode.partition(":")[2])
            if other is container:
                raise InvalidInput("cannot join own network")
            if not other.record.running or other.record.main is None:
                raise Conflict(f"cannot join network of a non running container: {other.id}")
            return {"network": f"/proc/{other.record.main.pid}/ns/net"}
        if mode in {"none", "host"}:
            self._without_interface.add(container.id)
            self._emit("connect", self._networks.find(mode), container)
            return {}
        namespaces = await self._namespaces.create(container.id, remapping)
        async with self._lock:
            networks = [self._networks.find(name) for name in record.networks]
            self._ports.release(container.id)
            record.ports = {}
            self._update_ports(record, networks)
            has_route = False
            for index, network in enumerate(networks):
                if network.has_interfaces:
                    await self._connect_interface(container, network, f"eth{index}", has_route=has_route)
                    has_route = has_route or not network.internal
            if record.ports:
                await self._networks.write_rules()
            await self._serve_names()
        server = self._files.server(record)
        if server:
            await dns_redirect.redirect_dns(self._namespaces.path(container.id), server)
        return namespaces

    def _update_ports(self, record: ContainerRecord, networks: Sequence[NetworkRecord]) -> None:
        """Bind or release its ports on the host: they are published through networks that have external access."""
        external = [network for network in networks if network.has_interfaces and not network.internal]
        if not external:
            self._ports.release(record.id)
            record.ports = {}
        elif not record.ports:
            host = next(
                (network.options[HOST_BINDING] for network in external if network.options.get(HOST_BINDING)), ""
            )
            record.ports = self._ports.publish(
                record, has_ipv6=any(network.subnet6 for network in external), default_address=host
            )

    async def _connect_interface(
        self, container: EngineContainer, network: NetworkRecord, name: str, *, has_route: bool
    ) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await self._networks.ensure_interface(network)
        interface, endpoint = endpoint_plan.plan_interface(
            self._config, self._allocator, container.record, network, name, has_route=has_route
        )
        container.record.networks[network.name] = endpoint
        self._containers.save(container)  # before the link is created: a leftover is found by its name
        await asyncio.to_thread(netlink.attach_interface, self.namespace_path(container), interface)
        self._emit("connect", network, container)

    def _emit(self, action: str, network: NetworkRecord, container: EngineContainer) -> None:
        attributes = {"name": network.name, "type": network.driver, "container": container.id}
        self._events.emit("network", action, network.id, attributes)

    async def leave(self, container: EngineContainer) -> None:
        """Disconnect a container from its networks; it may be on none."""
        record = container.record
        connected = [(name, endpoint) for name, endpoint in record.networks.items() if endpoint.endpoint_id]
        had_ports = bool(record.ports)
        self._ports.release(container.id)
        record.ports = {}
        for name, endpoint in connected:
            await self._disconnect_interface(container, name, endpoint)
        self._namespaces.remove(container.id)
        if container.id in self._without_interface:
            self._without_interface.remove(container.id)
            self._emit("disconnect", self._networks.find(record.network_mode), container)
        if not connected:
            return
        async with self._lock:
            if had_ports:
                await self._networks.write_rules()
            await self._serve_names()
        self._files.write_others(container)

    async def _disconnect_interface(self, container: EngineContainer, name: str, endpoint: EndpointSettings) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await asyncio.to_thread(netlink.remove, self._config.link("v", endpoint.endpoint_id))
        container.record.networks[name] = EndpointSettings(
            network_id=endpoint.network_id,
            aliases=endpoint.aliases,
            ipam_config=endpoint.ipam_config,
            links=endpoint.links,
            driver_opts=endpoint.driver_opts,
            mac_address=endpoint_plan.requested_mac(endpoint),
        )
        network = self._find_network(name)
        attributes = {"name": name, "type": network.driver if network else "bridge", "container": container.id}
        self._events.emit("network", "disconnect", endpoint.network_id, attributes)

    # While it runs

    async def connect(self, container: EngineContainer, network: NetworkRecord, settings: EndpointSettings) -> None:
        """Connect a container to another network, immediately if it runs.

        Raises:
            Refused: It is on that network already.
            InvalidInput: Its other networks or the settings conflict with it.
        """
        record = container.record
        if record.network_mode.startswith("container:") and not record.running:
            return  # ignored at the start of such a container, as in Docker Engine
        if record.running and network.name in record.networks and network.has_interfaces:
            raise Refused(f"endpoint with name {record.name} already exists in network {network.name}")
        eligibility.check_settings(network, settings, prefix="")
        eligibility.check_connect(record, network)
        if network.name in record.networks:
            return  # the first request's settings remain, as in Docker Engine
        record.networks[network.name] = endpoint_plan.stored_settings(settings, network)
        if record.running:
            from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

            async with self._lock:
                had_ports = bool(record.ports)
                try:
                    self._update_ports(record, [self._networks.find(name_) for name_ in record.networks])
                    name = await asyncio.to_thread(netlink.free_name, self.namespace_path(container), "eth")
                    await self._connect_interface(container, network, name, has_route=self._has_route(container))
                except PydError:
                    del record.networks[network.name]
                    if record.ports and not had_ports:
                        self._ports.release(record.id)
                        record.ports = {}
                    raise
                if record.ports:
                    await self._networks.write_rules()
                await self._serve_names()
            await dns_redirect.redirect_dns(self._namespaces.path(container.id), self._files.server(record))
            self._files.write(container)
        self._containers.save(container)

    def _has_route(self, container: EngineContainer) -> bool:
        endpoints = container.record.networks.items()
        return any(endpoint.endpoint_id and not self._networks.find(name).internal for name, endpoint in endpoints)

    async def disconnect(self, container: EngineContainer, network: NetworkRecord) -> None:
        """Disconnect a container from a network, immediately if it runs; another network's gateway becomes its default.

        Raises:
            EngineError: It isn't on the network.
            InvalidInput: It runs on the host's network.
        """
        record = container.record
        eligibility.check_disconnect(record, network)
        endpoint = record.networks[network.name]
        if endpoint.endpoint_id:
            from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

            async with self._lock:
                if network.driver != "bridge":
                    await asyncio.to_thread(
                        netlink.detach_interface, self.namespace_path(container), endpoint.ip_address
                    )
                await self._disconnect_interface(container, network.name, endpoint)
                del record.networks[network.name]
                if record.ports:  # they used the removed address, or have no route now
                    self._update_ports(record, [self._networks.find(key) for key in record.networks])
                    await self._networks.write_rules()
                others = [
                    self._networks.find(name) for name, settings in record.networks.items() if settings.endpoint_id
                ]
                gateways = [other for other in others if not other.internal]
                if gateways:
                    await asyncio.to_thread(netlink.set_default, self.namespace_path(container), gateways[0].gateways)
                await self._serve_names()
            await dns_redirect.redirect_dns(self._namespaces.path(container.id), self._files.server(record))
            self._files.write(container)
        else:
            del record.networks[network.name]
        self._containers.save(container)

    async def rename(self, container: EngineContainer) -> None:
        """Publish a running container's new name."""
        record = container.record
        if not record.running:
            return
        record.networks = {
            name: msgspec.structs.replace(endpoint, dns_names=endpoint_plan.dns_names(record, endpoint))
            if endpoint.dns_names
            else endpoint
            for name, endpoint in record.networks.items()
        }
        self._containers.save(container)
        async with self._lock:
            await self._serve_names()
        self._files.write_others(container)

    def unlink(self, name: str) -> None:
        """Remove a link by the name it gives a container, `PARENT/ALIAS`.

        Raises:
            NotFound: There is none.
            EngineError: It is a container's own name.
        """
        self._containers.find(name)
        parent, _, alias = name.removeprefix("/").partition("/")
        if not alias:
            raise EngineError("Conflict, cannot remove the default link name of the container")
        owner = self._containers.find(parent)
        owner.record.links = {key: target for key, target in owner.record.links.items() if key != alias}
        owner.record.host = msgspec.structs.replace(
            owner.record.host,
            links=[link for link in owner.record.host.links if legacy_links.parse_link(link)[1] != alias],
        )
        self._containers.save(owner)
        if owner.record.running:
            self._files.write(owner)

    def forget(self, container: EngineContainer, name: str) -> None:
        """Remove a container from a network that no longer exists.

        Raises:
            EngineError: It isn't on the network.
        """
        record = container.record
        if name not in record.networks:
            raise EngineError(f"container {record.id} is not connected to the network {name}")
        del record.networks[name]
        self._containers.save(container)

    # Names

    async def _serve_names(self) -> None:
        await self._server.serve(zones.plan(self._networks, self._containers))

    # Start and stop of the engine

    def adopt(self, container: EngineContainer) -> None:
        """Register the ports and network interfaces of a container that is already running."""
        self._ports.adopt(container.record)
        if container.record.network_mode in {"none", "host"}:
            self._without_interface.add(container.id)
        for endpoint in container.record.networks.values():
            if endpoint.endpoint_id:
                self._networks.mark_up(endpoint.network_id)

    async def reconcile(self) -> None:
        """Remove links and namespaces of containers that don't run, and serve the names of those that do."""
        config = self._config
        running = [container for container in self._containers.all() if container.record.running]
        used_links = {
            config.link("v", endpoint.endpoint_id)
            for container in running
            for endpoint in container.record.networks.values()
            if endpoint.endpoint_id
        }
        self._namespaces.remove_others(container.id for container in running)
        for _, name in socket.if_nameindex():
            if name.startswith(config.prefix("v")) and name not in used_links:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                await asyncio.to_thread(netlink.remove, name)
        await self._serve_names()

    def stop(self) -> None:
        """Release all ports."""
        self._ports.release_all()
