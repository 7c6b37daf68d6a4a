"""Endpoints of containers: network namespace, interfaces, addresses, published ports and names."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Mapping, Sequence
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
from pyd_core.daemon.networks.ports import Ports
from pyd_core.daemon.networks.record import NetworkRecord
from pyd_core.errors import Conflict, EngineError, InvalidInput, NotFound, PydError, Refused
from pyd_core.linux import netns
from pyd_core.model.network import EndpointSettings

if TYPE_CHECKING:
    from pyd_core.daemon.userns import Remapping
    from pyd_core.linux.netlink import InterfaceSpec

SHORT = 12


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
        self._ports = Ports()
        self._unplugged: set[str] = set()
        """Containers that run with the host's network or none: on a network in name only."""

    # Creation

    def resolve_endpoints(
        self, record: ContainerRecord, asked: Mapping[str, EndpointSettings | None]
    ) -> dict[str, EndpointSettings]:
        """Return the settings of the networks that a new container is created on.

        Raises:
            InvalidInput: An address or a link is invalid there.
        """
        mode = record.network_mode
        if mode.startswith("container:"):
            return {}
        found: dict[str, EndpointSettings] = {}
        places = dict(asked) or {mode: None}
        if mode not in places and not any(self._known(name) is self._known(mode) for name in places):
            places = {mode: None, **places}
        for name, place in places.items():
            network = self._known(name)
            if network is None:
                found[name] = EndpointSettings()  # missing: reported at the start, as Docker Engine does
                continue
            settings = place or EndpointSettings()
            eligibility.check_settings(network, settings, about=f"invalid config for network {network.name}: ")
            found[network.name] = _asked(settings, network)
        return found

    def _known(self, name: str) -> NetworkRecord | None:
        try:
            return self._networks.find(name)
        except NotFound:
            return None

    # Start and stop

    def key(self, container: EngineContainer) -> str:
        """Return the file that keeps a container's network namespace alive."""
        return str(self._namespaces / container.id[:SHORT])

    def _owner(self, container: EngineContainer) -> Path:
        """Return the file that keeps the user namespace that owns it alive."""
        return self._namespaces / f"{container.id[:SHORT]}.user"

    async def enter(self, container: EngineContainer, remapping: Remapping | None) -> dict[str, str]:
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
            self._unplugged.add(container.id)
            self._tell("connect", self._networks.find(mode), container)
            return {}
        path = Path(self.key(container))
        owner = self._owner(container)
        netns.remove(path)
        netns.remove(owner)
        if remapping is None:
            netns.create(path)
        else:
            await asyncio.to_thread(netns.create_owned, path, owner, remapping.ids)
        async with self._lock:
            found = [self._networks.find(name) for name in record.networks]
            self._ports.release(container.id)
            record.ports = {}
            self._publish(record, found)
            routed = False
            for index, network in enumerate(found):
                if network.plugged:
                    await self._plug(container, network, f"eth{index}", routed=routed)
                    routed = routed or not network.internal
            if record.ports:
                await self._networks.write_rules()
            await self._serve_names()
        server = self._files.server(record)
        if server:
            await dns_redirect.redirect_dns(path, server)
        return {"network": str(path), **({} if remapping is None else {"user": str(owner)})}

    def _publish(self, record: ContainerRecord, networks: Sequence[NetworkRecord]) -> None:
        """Bind or release its ports on the host: they are published through networks that have external access."""
        outward = [network for network in networks if network.plugged and not network.internal]
        if not outward:
            self._ports.release(record.id)
            record.ports = {}
        elif not record.ports:
            host = next((each.options[HOST_BINDING] for each in outward if each.options.get(HOST_BINDING)), "")
            record.ports = self._ports.publish(record, six=any(each.subnet6 for each in outward), host=host)

    async def _plug(self, container: EngineContainer, network: NetworkRecord, name: str, *, routed: bool) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await self._networks.ready(network)
        plug, place = self._plan(container, network, name, routed=routed)
        container.record.networks[network.name] = place
        self._containers.save(container)  # before the link is made: what is left is found by its name
        await asyncio.to_thread(netlink.attach_interface, self.key(container), plug)
        self._tell("connect", network, container)

    def _tell(self, action: str, network: NetworkRecord, container: EngineContainer) -> None:
        told = {"name": network.name, "type": network.driver, "container": container.id}
        self._events.emit("network", action, network.id, told)

    def _plan(
        self, container: EngineContainer, network: NetworkRecord, name: str, *, routed: bool
    ) -> tuple[InterfaceSpec, EndpointSettings]:
        """Allocate addresses and plan the interface; `routed` is whether the container already has a default route."""
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        record = container.record
        place = record.networks[network.name]
        four = self._address(network, place, 4)
        six = self._address(network, place, 6) if network.subnet6 else None
        prefix = addresses.subnet(network.subnet).prefixlen
        prefix6 = addresses.subnet(network.subnet6).prefixlen if six else 0
        endpoint = secrets.token_hex(32)
        wants_route = not routed and not network.internal
        plug = netlink.InterfaceSpec(
            host=self._config.link("v", endpoint),
            name=name,
            kind="veth" if network.driver == "bridge" else network.driver,
            mode=network.options.get(f"{network.driver}_mode", ""),
            on=network.interface,
            addresses=[(str(four), prefix), *([(str(six), prefix6)] if six else []), *_link_local(place)],
            mtu=network.mtu,
            hardware="" if network.driver == "ipvlan" else place.mac_address or addresses.hardware(four),
            gateways=network.gateways if wants_route else (),
        )
        return plug, msgspec.structs.replace(
            place,
            network_id=network.id,
            endpoint_id=endpoint,
            gateway=network.gateway,
            ip_address=str(four),
            ip_prefix_len=prefix,
            ipv6_gateway=network.gateway6,
            global_ipv6_address=str(six) if six else "",
            global_ipv6_prefix_len=prefix6,
            mac_address=plug.hardware,
            dns_names=_dns_names(record, place) if network.resolves or network.lists else None,
        )

    def _address(self, network: NetworkRecord, place: EndpointSettings, version: int) -> addresses.Address:
        four = version == 4
        net = addresses.subnet(network.subnet if four else network.subnet6)
        texts = [network.gateway if four else network.gateway6]
        texts += [each.ip_address if four else each.global_ipv6_address for _, each in self._networks.members(network)]
        taken = {addresses.address(text, net) for text in texts if text}
        reserved = {ip_address(text) for text in network.reserved.values()}
        given = place.ipam_config
        asked = (given.ipv4_address if four else given.ipv6_address) if given else ""
        if not asked:
            part = network.ip_range if four else network.ip_range6
            return addresses.free_address(net, taken | reserved, within=addresses.subnet(part) if part else None)
        address = addresses.address(asked, net)
        if address in taken:
            raise Refused("Address already in use")
        return address

    async def leave(self, container: EngineContainer) -> None:
        """Disconnect a container from its networks; it may be on none."""
        record = container.record
        placed = [(name, place) for name, place in record.networks.items() if place.endpoint_id]
        published = bool(record.ports)
        self._ports.release(container.id)
        record.ports = {}
        for name, place in placed:
            await self._unplug(container, name, place)
        netns.remove(Path(self.key(container)))
        netns.remove(self._owner(container))
        if container.id in self._unplugged:
            self._unplugged.remove(container.id)
            self._tell("disconnect", self._networks.find(record.network_mode), container)
        if not placed:
            return
        async with self._lock:
            if published:
                await self._networks.write_rules()
            await self._serve_names()
        self._files.write_others(container)

    async def _unplug(self, container: EngineContainer, name: str, place: EndpointSettings) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await asyncio.to_thread(netlink.remove, self._config.link("v", place.endpoint_id))
        container.record.networks[name] = EndpointSettings(
            network_id=place.network_id,
            aliases=place.aliases,
            ipam_config=place.ipam_config,
            links=place.links,
            driver_opts=place.driver_opts,
            mac_address=_own_hardware(place),
        )
        network = self._known(name)
        told = {"name": name, "type": network.driver if network else "bridge", "container": container.id}
        self._events.emit("network", "disconnect", place.network_id, told)

    # While it runs

    async def connect(self, container: EngineContainer, network: NetworkRecord, place: EndpointSettings) -> None:
        """Connect a container to another network, immediately if it runs.

        Raises:
            Refused: It is on that network already.
            InvalidInput: Its other networks or the settings conflict with it.
        """
        record = container.record
        if record.network_mode.startswith("container:") and not record.running:
            return  # ignored at the start of such a container, as in Docker Engine
        if record.running and network.name in record.networks and network.plugged:
            raise Refused(f"endpoint with name {record.name} already exists in network {network.name}")
        eligibility.check_settings(network, place, about="")
        eligibility.check_connect(record, network)
        if network.name in record.networks:
            return  # the first request's settings remain, as in Docker Engine
        record.networks[network.name] = _asked(place, network)
        if record.running:
            from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

            async with self._lock:
                published = bool(record.ports)
                try:
                    self._publish(record, [self._networks.find(each) for each in record.networks])
                    name = await asyncio.to_thread(netlink.free_name, self.key(container), "eth")
                    await self._plug(container, network, name, routed=self._routed(container))
                except PydError:
                    del record.networks[network.name]
                    if record.ports and not published:
                        self._ports.release(record.id)
                        record.ports = {}
                    raise
                if record.ports:
                    await self._networks.write_rules()
                await self._serve_names()
            await dns_redirect.redirect_dns(Path(self.key(container)), self._files.server(record))
            self._files.write(container)
        self._containers.save(container)

    def _routed(self, container: EngineContainer) -> bool:
        places = container.record.networks.items()
        return any(place.endpoint_id and not self._networks.find(name).internal for name, place in places)

    async def disconnect(self, container: EngineContainer, network: NetworkRecord) -> None:
        """Disconnect a container from a network, immediately if it runs; another network's gateway becomes its default.

        Raises:
            EngineError: It isn't on the network.
            InvalidInput: It runs on the host's network.
        """
        record = container.record
        eligibility.check_disconnect(record, network)
        place = record.networks[network.name]
        if place.endpoint_id:
            from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

            async with self._lock:
                if network.driver != "bridge":
                    await asyncio.to_thread(netlink.detach_interface, self.key(container), place.ip_address)
                await self._unplug(container, network.name, place)
                del record.networks[network.name]
                if record.ports:  # they used the removed address, or have no route now
                    self._publish(record, [self._networks.find(each) for each in record.networks])
                    await self._networks.write_rules()
                others = [self._networks.find(name) for name, each in record.networks.items() if each.endpoint_id]
                gateways = [each for each in others if not each.internal]
                if gateways:
                    await asyncio.to_thread(netlink.set_default, self.key(container), gateways[0].gateways)
                await self._serve_names()
            await dns_redirect.redirect_dns(Path(self.key(container)), self._files.server(record))
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
            name: msgspec.structs.replace(place, dns_names=_dns_names(record, place)) if place.dns_names else place
            for name, place in record.networks.items()
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
        owner.record.links = {key: each for key, each in owner.record.links.items() if key != alias}
        owner.record.host = msgspec.structs.replace(
            owner.record.host, links=[each for each in owner.record.host.links if legacy_links.parse(each)[1] != alias]
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

    def remember(self, container: EngineContainer) -> None:
        """Register the ports and network interfaces of a container that is already running."""
        self._ports.hold(container.record)
        if container.record.network_mode in {"none", "host"}:
            self._unplugged.add(container.id)
        for place in container.record.networks.values():
            if place.endpoint_id:
                self._networks.known_ready(place.network_id)

    async def reconcile(self) -> None:
        """Remove links and namespaces of containers that don't run, and serve the names of those that do."""
        config = self._config
        running = [each for each in self._containers.all() if each.record.running]
        kept = {
            config.link("v", place.endpoint_id)
            for each in running
            for place in each.record.networks.values()
            if place.endpoint_id
        }
        spaces = {each.id[:SHORT] for each in running}
        for left in self._namespaces.iterdir():
            if left.stem not in spaces:
                netns.remove(left)
        for _, name in socket.if_nameindex():
            if name.startswith(config.prefix("v")) and name not in kept:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                await asyncio.to_thread(netlink.remove, name)
        await self._serve_names()

    def stop(self) -> None:
        """Release all ports."""
        self._ports.release_all()


def _asked(place: EndpointSettings, network: NetworkRecord) -> EndpointSettings:
    """Return the settings to store; empty ones become None, as clients that compare them expect."""
    return msgspec.structs.replace(
        place,
        network_id=network.id,
        endpoint_id="",
        aliases=place.aliases or None,
        links=place.links or None,
        driver_opts=place.driver_opts or None,
    )


def _link_local(place: EndpointSettings) -> list[tuple[str, int]]:
    """Return the requested link-local addresses, with their prefix lengths (RFC 3927, RFC 4291)."""
    asked = place.ipam_config.link_local_ips if place.ipam_config else []
    return [(each, 64 if ":" in each else 16) for each in asked]


def _dns_names(record: ContainerRecord, place: EndpointSettings) -> list[str]:
    """Return the names by which others on a network can reach a container."""
    return list(dict.fromkeys([record.name, *(place.aliases or []), record.id[:SHORT], record.config.hostname]))


def _own_hardware(place: EndpointSettings) -> str:
    """Return the requested MAC address; empty if it was derived from the IP address."""
    made = place.ip_address and place.mac_address == addresses.hardware(ip_address(place.ip_address))
    return "" if made else place.mac_address
