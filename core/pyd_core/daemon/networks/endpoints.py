"""Endpoints of containers: network namespace, interfaces, addresses, published ports and names."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.networks import addresses, dns, dns_redirect, eligibility, legacy_links, zones
from pyd_core.daemon.networks.collection import HOST_BINDING, NetworkStore
from pyd_core.daemon.networks.files import NetworkFiles
from pyd_core.daemon.networks.ports import PortReservations
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.errors import Conflict, EngineError, InvalidInput, NotFound, PydError, Refused
from pyd_core.linux import netns
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.daemon.userns import Remapping
    from pyd_core.linux.netlink import InterfaceSpec

SHORT_ID_LENGTH = 12


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
    ) -> None:
        self._config = config
        self._events = events
        self._containers = containers
        self._networks = networks
        self._files = files
        self._lock = networks.lock
        self._namespaces = config.run / "netns"
        self._namespaces.mkdir(parents=True, exist_ok=True)
        self._namespaces.chmod(0o700)
        self._server = dns.NameServer(config.run / "dns")
        self._ports = PortReservations()
        self._without_interface: set[str] = set()
        """Containers that run with the host's network or none: on a network in name only."""
        self._leases: dict[str, set[str]] = {}
        """Addresses of build steps by the network's id: no container of the store has them."""

    # Build steps

    def lease(self, network: NetworkRecord) -> list[addresses.Address]:
        """Return free addresses of a network, its IPv4 one first, and keep others from getting them."""
        leased = [
            self._allocate_address(network, EndpointSettings(), version)
            for version in ((4, 6) if network.subnet6 else (4,))
        ]
        self._leases.setdefault(network.id, set()).update(map(str, leased))
        return leased

    def end_lease(self, network_id: str, leased: Iterable[str]) -> None:
        """Let others have leased addresses."""
        self._leases.get(network_id, set()).difference_update(leased)

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
            endpoints[network.name] = _stored_settings(settings, network)
        return endpoints

    def _find_network(self, name: str) -> NetworkRecord | None:
        try:
            return self._networks.find(name)
        except NotFound:
            return None

    # Start and stop

    def namespace_path(self, container: EngineContainer) -> str:
        """Return the file that keeps a container's network namespace alive."""
        return str(self._namespaces / container.id[:SHORT_ID_LENGTH])

    def _user_namespace_path(self, container: EngineContainer) -> Path:
        """Return the file that keeps the user namespace that owns it alive."""
        return self._namespaces / f"{container.id[:SHORT_ID_LENGTH]}.user"

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
        path = Path(self.namespace_path(container))
        owner = self._user_namespace_path(container)
        netns.remove(path)
        netns.remove(owner)
        if remapping is None:
            netns.create(path)
        else:
            await asyncio.to_thread(netns.create_owned, path, owner, remapping.ids)
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
            await dns_redirect.redirect_dns(path, server)
        return {"network": str(path), **({} if remapping is None else {"user": str(owner)})}

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
        interface, endpoint = self._plan(container, network, name, has_route=has_route)
        container.record.networks[network.name] = endpoint
        self._containers.save(container)  # before the link is created: a leftover is found by its name
        await asyncio.to_thread(netlink.attach_interface, self.namespace_path(container), interface)
        self._emit("connect", network, container)

    def _emit(self, action: str, network: NetworkRecord, container: EngineContainer) -> None:
        attributes = {"name": network.name, "type": network.driver, "container": container.id}
        self._events.emit("network", action, network.id, attributes)

    def _plan(
        self, container: EngineContainer, network: NetworkRecord, name: str, *, has_route: bool
    ) -> tuple[InterfaceSpec, EndpointSettings]:
        """Allocate addresses and plan the interface; `routed` is whether the container already has a default route."""
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        record = container.record
        settings = record.networks[network.name]
        ipv4 = self._allocate_address(network, settings, 4)
        ipv6 = self._allocate_address(network, settings, 6) if network.subnet6 else None
        prefix = addresses.parse_subnet(network.subnet).prefixlen
        prefix6 = addresses.parse_subnet(network.subnet6).prefixlen if ipv6 else 0
        endpoint_id = secrets.token_hex(32)
        wants_route = not has_route and not network.internal
        interface = netlink.InterfaceSpec(
            host=self._config.link("v", endpoint_id),
            name=name,
            kind="veth" if network.driver == "bridge" else network.driver,
            mode=network.options.get(f"{network.driver}_mode", ""),
            on=network.interface,
            addresses=[
                (str(ipv4), prefix),
                *([(str(ipv6), prefix6)] if ipv6 else []),
                *_link_local_addresses(settings),
            ],
            mtu=network.mtu,
            hardware="" if network.driver == "ipvlan" else settings.mac_address or addresses.derive_mac(ipv4),
            gateways=network.gateways if wants_route else (),
        )
        return interface, msgspec.structs.replace(
            settings,
            network_id=network.id,
            endpoint_id=endpoint_id,
            gateway=network.gateway,
            ip_address=str(ipv4),
            ip_prefix_len=prefix,
            ipv6_gateway=network.gateway6,
            global_ipv6_address=str(ipv6) if ipv6 else "",
            global_ipv6_prefix_len=prefix6,
            mac_address=interface.hardware,
            dns_names=_dns_names(record, settings) if network.has_name_server or network.uses_hosts_files else None,
        )

    def _allocate_address(self, network: NetworkRecord, endpoint: EndpointSettings, version: int) -> addresses.Address:
        is_ipv4 = version == 4
        net = addresses.parse_subnet(network.subnet if is_ipv4 else network.subnet6)
        texts = [network.gateway if is_ipv4 else network.gateway6]
        texts += [
            member.ip_address if is_ipv4 else member.global_ipv6_address
            for _, member in self._networks.members(network)
        ]
        texts += [text for text in self._leases.get(network.id, ()) if (":" in text) != is_ipv4]
        taken = {addresses.parse_address(text, net) for text in texts if text}
        reserved = {ip_address(text) for text in network.reserved.values()}
        ipam_config = endpoint.ipam_config
        requested = (ipam_config.ipv4_address if is_ipv4 else ipam_config.ipv6_address) if ipam_config else ""
        if not requested:
            ip_range = network.ip_range if is_ipv4 else network.ip_range6
            return addresses.free_address(
                net, taken | reserved, within=addresses.parse_subnet(ip_range) if ip_range else None
            )
        address = addresses.parse_address(requested, net)
        if address in taken:
            raise Refused("Address already in use")
        return address

    async def leave(self, container: EngineContainer) -> None:
        """Disconnect a container from its networks; it may be on none."""
        record = container.record
        connected = [(name, endpoint) for name, endpoint in record.networks.items() if endpoint.endpoint_id]
        had_ports = bool(record.ports)
        self._ports.release(container.id)
        record.ports = {}
        for name, endpoint in connected:
            await self._disconnect_interface(container, name, endpoint)
        netns.remove(Path(self.namespace_path(container)))
        netns.remove(self._user_namespace_path(container))
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
            mac_address=_requested_mac(endpoint),
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
        record.networks[network.name] = _stored_settings(settings, network)
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
            await dns_redirect.redirect_dns(Path(self.namespace_path(container)), self._files.server(record))
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
            await dns_redirect.redirect_dns(Path(self.namespace_path(container)), self._files.server(record))
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
            name: msgspec.structs.replace(endpoint, dns_names=_dns_names(record, endpoint))
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
        short_ids = {container.id[:SHORT_ID_LENGTH] for container in running}
        for path in self._namespaces.iterdir():
            if path.stem not in short_ids:
                netns.remove(path)
        for _, name in socket.if_nameindex():
            if name.startswith(config.prefix("v")) and name not in used_links:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                await asyncio.to_thread(netlink.remove, name)
        await self._serve_names()

    def stop(self) -> None:
        """Release all ports."""
        self._ports.release_all()


def _stored_settings(settings: EndpointSettings, network: NetworkRecord) -> EndpointSettings:
    """Return the settings to store; empty ones become None, as clients that compare them expect."""
    return msgspec.structs.replace(
        settings,
        network_id=network.id,
        endpoint_id="",
        aliases=settings.aliases or None,
        links=settings.links or None,
        driver_opts=settings.driver_opts or None,
    )


def _link_local_addresses(endpoint: EndpointSettings) -> list[tuple[str, int]]:
    """Return the requested link-local addresses, with their prefix lengths (RFC 3927, RFC 4291)."""
    requested = endpoint.ipam_config.link_local_ips if endpoint.ipam_config else []
    return [(address, 64 if ":" in address else 16) for address in requested]


def _dns_names(record: ContainerRecord, endpoint: EndpointSettings) -> list[str]:
    """Return the names by which others on a network can reach a container."""
    return list(
        dict.fromkeys([record.name, *(endpoint.aliases or []), record.id[:SHORT_ID_LENGTH], record.config.hostname])
    )


def _requested_mac(endpoint: EndpointSettings) -> str:
    """Return the requested MAC address; empty if it was derived from the IP address."""
    is_derived = endpoint.ip_address and endpoint.mac_address == addresses.derive_mac(ip_address(endpoint.ip_address))
    return "" if is_derived else endpoint.mac_address
