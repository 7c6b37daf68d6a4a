"""All networks: making and removing them, and a container's place on them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.containers.options import parse_port
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.networks import addresses, names, rules
from pyd_core.daemon.networks.ports import Ports
from pyd_core.daemon.networks.record import DEFAULT, FIXED, NetworkRecord
from pyd_core.daemon.store import Shelf
from pyd_core.errors import Ambiguous, Conflict, InvalidInput, NotFound, PydError, Refused
from pyd_core.linux import netns
from pyd_core.model.host_config import PortBinding
from pyd_core.model.network import EndpointSettings, IpamConfig, NetworkMember

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

OPTION = "com.docker.network.bridge."
SHORT = 12


class Networks:
    """The engine's networks."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._shelf = Shelf(daemon.store, "network", NetworkRecord)
        self._namespaces = daemon.config.run / "netns"
        self._namespaces.mkdir(parents=True, exist_ok=True)
        self._server = names.NameServer(daemon.config.run / "dns")
        self._ports = Ports()
        self._lock = asyncio.Lock()
        self._raised: set[str] = set()
        """Networks whose bridge is known to be up."""
        for name, driver in zip(FIXED, ("bridge", "host", "null"), strict=True):
            if self._named(name) is None:
                made = {"id": secrets.token_hex(32), "name": name, "driver": driver, "created_ns": time.time_ns()}
                record = msgspec.convert(made, NetworkRecord)
                if name == DEFAULT:
                    record.interface = daemon.config.bridge
                    record.options = {f"{OPTION}default_bridge": "true", f"{OPTION}name": record.interface}
                self._shelf.put(record.id, record)

    # Finding

    def _named(self, name: str) -> NetworkRecord | None:
        return next((record for record in self._shelf if record.name == name), None)

    def all(self) -> list[NetworkRecord]:
        """Returns every network."""
        return sorted(self._shelf, key=lambda record: record.created_ns)

    def find(self, name: str) -> NetworkRecord:
        """Finds a network by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is none.
            Ambiguous: Several ids begin so.
        """
        exact = self._shelf.get(name) or self._named(DEFAULT if name == "default" else name)
        if exact is not None:
            return exact
        found = [record for record in self._shelf if name and record.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Ambiguous(f"network {name} is ambiguous", candidates=[record.id for record in found])
        raise NotFound(f"network {name[:128]} not found")

    def members(self, record: NetworkRecord) -> list[tuple[Container, EndpointSettings]]:
        """Returns the running containers on a network."""
        return [
            (container, container.record.networks[record.name])
            for container in self._daemon.containers.all()
            if record.name in container.record.networks and container.record.networks[record.name].endpoint_id
        ]

    def shown_members(self, record: NetworkRecord) -> dict[str, NetworkMember]:
        """Returns them as inspect shows them."""
        return {
            container.id: NetworkMember(
                name=container.record.name,
                endpoint_id=place.endpoint_id,
                mac_address=place.mac_address,
                ipv4_address=f"{place.ip_address}/{place.ip_prefix_len}" if place.ip_address else "",
            )
            for container, place in self.members(record)
        }

    # Making and removing

    async def create(self, record: NetworkRecord, config: IpamConfig) -> NetworkRecord:
        """Makes a bridge network.

        Raises:
            Conflict: The name is taken, or the subnet overlaps another network's.
            InvalidInput: The subnet or gateway makes no sense.
        """
        async with self._lock:
            if self._named(record.name) is not None:
                raise Conflict(f"network with name {record.name} already exists")
            await self._settle_subnet(record, config)
            record.interface = record.options.get(f"{OPTION}name") or self._daemon.config.link("b", record.id)
            self._shelf.put(record.id, record)
            try:
                await self._raise(record)
            except PydError:
                self._shelf.delete(record.id)
                raise
        self._daemon.events.emit("network", "create", record.id, {"name": record.name, "type": "bridge"})
        return record

    async def _settle_subnet(self, record: NetworkRecord, config: IpamConfig) -> None:
        own = [IPv4Network(each.subnet) for each in self._shelf if each.subnet]
        if config.subnet:
            net = addresses.subnet(config.subnet)
            if any(net.overlaps(other) for other in own):
                raise Refused("Pool overlaps with other one on this address space")
            record.own_subnet = True
        else:
            from pyd_core.linux import links  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

            net = addresses.free_subnet([*own, *await asyncio.to_thread(links.subnets)])
        gateway = addresses.address(config.gateway, net) if config.gateway else next(iter(net.hosts()))
        record.subnet, record.gateway = str(net), str(gateway)
        if config.ip_range:
            within = addresses.subnet(config.ip_range) if "/" in config.ip_range else None
            if within is None or not within.subnet_of(net):
                raise InvalidInput(f"invalid ip-range {config.ip_range}: it lies outside {net}")
            record.ip_range = config.ip_range

    async def remove(self, record: NetworkRecord) -> None:
        """Removes a network nobody is on.

        Raises:
            Refused: It always exists, or containers are on it.
        """
        if record.name in FIXED:
            raise Refused(f"{record.name} is a pre-defined network and cannot be removed")
        async with self._lock:
            if self.members(record):
                raise Refused(
                    f"error while removing network: network {record.name} id {record.id} has active endpoints"
                )
            self._shelf.delete(record.id)
            await self._lower(record)
        self._daemon.events.emit("network", "destroy", record.id, {"name": record.name, "type": "bridge"})

    async def _raise(self, record: NetworkRecord) -> None:
        """Makes sure a network's bridge is there."""
        if record.id in self._raised:
            return
        from pyd_core.linux import links  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        if not record.subnet:
            await self._settle_subnet(record, IpamConfig(subnet=self._daemon.config.subnet))
            self._shelf.put(record.id, record)
        prefix = IPv4Network(record.subnet).prefixlen
        await asyncio.to_thread(links.make_bridge, record.interface, record.gateway, prefix)
        self._raised.add(record.id)
        await self._write_rules()
        await rules.let_through(record.interface, wanted=True)

    async def _lower(self, record: NetworkRecord) -> None:
        from pyd_core.linux import links  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        self._raised.discard(record.id)
        await rules.let_through(record.interface, wanted=False)
        await asyncio.to_thread(links.remove, record.interface)
        await self._write_rules()

    async def _write_rules(self) -> None:
        bridges = [
            rules.Bridge(
                interface=record.interface,
                subnet=record.subnet,
                internal=record.internal,
                masquerade=record.options.get(f"{OPTION}enable_ip_masquerade", "true") != "false",
                between=record.options.get(f"{OPTION}enable_icc", "true") != "false",
            )
            for record in self.all()
            if record.id in self._raised
        ]
        await rules.apply(rules.plan(self._daemon.config.table, bridges, self._published()))

    def _published(self) -> Iterable[rules.Published]:
        for container in self._daemon.containers.all():
            record = container.record
            address = next((place.ip_address for place in record.networks.values() if place.ip_address), "")
            for port, bindings in record.ports.items() if address else ():
                number, protocol = parse_port(port)
                for each in bindings:
                    yield rules.Published(
                        protocol=protocol,
                        host_address=each.host_ip,
                        host_port=int(each.host_port),
                        address=address,
                        port=number,
                    )

    # A container's place

    def wanted(
        self, record: ContainerRecord, asked: Mapping[str, EndpointSettings | None]
    ) -> dict[str, EndpointSettings]:
        """Reads which networks a container is created on.

        Raises:
            InvalidInput: An address makes no sense there.
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
                found[name] = EndpointSettings()  # missing: the start says so, as Docker Engine's does
                continue
            settings = place or EndpointSettings()
            found[network.name] = msgspec.structs.replace(settings, network_id=network.id, endpoint_id="")
            self._check_address(network, settings)
        return found

    def _known(self, name: str) -> NetworkRecord | None:
        try:
            return self.find(name)
        except NotFound:
            return None

    def _check_address(self, network: NetworkRecord, place: EndpointSettings) -> None:
        if place.ipam_config is None or not place.ipam_config.ipv4_address:
            return
        if not network.own_subnet:
            raise InvalidInput(
                "user specified IP address is supported only when connecting to networks with user configured subnets"
            )
        addresses.address(place.ipam_config.ipv4_address, IPv4Network(network.subnet))

    def key(self, container: Container) -> str:
        """The file that keeps a container's network namespace."""
        return str(self._namespaces / container.id[:SHORT])

    def bindings(self, container: Container) -> dict[str, list[PortBinding]]:
        """Where its ports are published, while it runs."""
        return container.record.ports

    async def enter(self, container: Container) -> dict[str, str]:
        """Readies a container's network namespace, and returns its path by the specification's type name."""
        record = container.record
        mode = record.network_mode
        if mode.startswith("container:"):
            other = self._daemon.containers.find(mode.partition(":")[2])
            if not other.record.running or other.record.main is None:
                raise Conflict(f"cannot join network of a non running container: {other.id}")
            return {"network": f"/proc/{other.record.main.pid}/ns/net"}
        if mode in {"none", "host"}:
            return {}
        path = Path(self.key(container))
        netns.remove(path)
        netns.create(path)
        async with self._lock:
            record.ports = self._ports.publish(record)
            for index, name in enumerate(record.networks):
                network = self.find(name)
                if network.driver == "bridge":
                    await self._plug(container, network, index)
            if record.ports:
                await self._write_rules()
            await self._serve_names()
        return {"network": str(path)}

    async def _plug(self, container: Container, network: NetworkRecord, index: int) -> None:
        from pyd_core.linux import links  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await self._raise(network)
        record = container.record
        net = IPv4Network(network.subnet)
        taken = {IPv4Address(network.gateway)}
        taken |= {IPv4Address(place.ip_address) for _, place in self.members(network) if place.ip_address}
        place = record.networks[network.name]
        asked = place.ipam_config.ipv4_address if place.ipam_config else ""
        if asked:
            address = addresses.address(asked, net)
            if address in taken:
                raise Refused("Address already in use")
        else:
            within = IPv4Network(network.ip_range) if network.ip_range else None
            address = addresses.free_address(net, taken, within=within)
        endpoint = secrets.token_hex(32)
        first = index == 0
        plug = links.Plug(
            host=self._daemon.config.link("v", endpoint),
            name=f"eth{index}",
            bridge=network.interface,
            address=str(address),
            prefix=net.prefixlen,
            hardware=place.mac_address or addresses.hardware(address),
            gateway=network.gateway if first and not network.internal else "",
        )
        own = [record.name, *(place.aliases or []), container.id[:SHORT], record.config.hostname]
        record.networks[network.name] = msgspec.structs.replace(
            place,
            network_id=network.id,
            endpoint_id=endpoint,
            gateway=network.gateway,
            ip_address=str(address),
            ip_prefix_len=net.prefixlen,
            mac_address=plug.hardware,
            dns_names=list(dict.fromkeys(own)) if network.resolves else None,
        )
        self._daemon.containers.save(container)  # before the link is made: what is left is found by its name
        await asyncio.to_thread(links.plug, self.key(container), plug)
        told = {"name": network.name, "type": "bridge", "container": container.id}
        self._daemon.events.emit("network", "connect", network.id, told)

    async def leave(self, container: Container) -> None:
        """Takes a container off its networks; no complaint if it isn't on any."""
        record = container.record
        placed = [(name, place) for name, place in record.networks.items() if place.endpoint_id]
        published = bool(record.ports)
        self._ports.release(container.id)
        record.ports = {}
        for name, place in placed:
            await self._unplug(container, name, place)
        netns.remove(Path(self.key(container)))
        if not placed:
            return
        async with self._lock:
            if published:
                await self._write_rules()
            await self._serve_names()

    async def _unplug(self, container: Container, name: str, place: EndpointSettings) -> None:
        from pyd_core.linux import links  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await asyncio.to_thread(links.remove, self._daemon.config.link("v", place.endpoint_id))
        container.record.networks[name] = EndpointSettings(
            network_id=place.network_id,
            aliases=place.aliases,
            ipam_config=place.ipam_config,
            links=place.links,
        )
        told = {"name": name, "type": "bridge", "container": container.id}
        self._daemon.events.emit("network", "disconnect", place.network_id, told)

    async def connect(self, container: Container, network: NetworkRecord, place: EndpointSettings) -> None:
        """Puts a container on one more network, at once if it runs.

        Raises:
            Refused: It is on it already, or its networking doesn't allow it.
        """
        record = container.record
        if record.network_mode.startswith(("host", "container:", "none")) or network.driver != "bridge":
            raise InvalidInput(f"container {container.id[:SHORT]} can't be connected to network {network.name}")
        if network.name in record.networks:
            raise Refused(f"endpoint with name {record.name} already exists in network {network.name}")
        self._check_address(network, place)
        record.networks[network.name] = msgspec.structs.replace(place, network_id=network.id, endpoint_id="")
        if record.running:
            async with self._lock:
                try:
                    await self._plug(container, network, self._free_index(container))
                except PydError:
                    del record.networks[network.name]
                    raise
                await self._serve_names()
            self.write_files(container)
        self._daemon.containers.save(container)

    def _free_index(self, container: Container) -> int:
        return sum(1 for place in container.record.networks.values() if place.endpoint_id)

    async def disconnect(self, container: Container, network: NetworkRecord) -> None:
        """Takes a container off a network, at once if it runs.

        Raises:
            Refused: It isn't on it.
        """
        place = container.record.networks.get(network.name)
        if place is None:
            raise Refused(f"container {container.id} is not connected to network {network.name}")
        if place.endpoint_id:
            async with self._lock:
                await self._unplug(container, network.name, place)
                del container.record.networks[network.name]
                await self._serve_names()
            self.write_files(container)
        else:
            del container.record.networks[network.name]
        self._daemon.containers.save(container)

    # Names

    async def _serve_names(self) -> None:
        zones = [
            names.Zone(
                name=network.name,
                gateway=network.gateway,
                internal=network.internal,
                members=tuple(
                    (container.id, place.ip_address, tuple(place.dns_names or ()))
                    for container, place in self.members(network)
                ),
            )
            for network in self.all()
            if network.resolves
        ]
        await self._server.serve(zones)

    def write_files(self, container: Container) -> None:
        """Writes what is bound over the container's /etc/hosts, /etc/hostname and /etc/resolv.conf."""
        record = container.record
        places = [(self.find(name), place) for name, place in record.networks.items() if place.ip_address]
        server = next((network.gateway for network, _ in places if network.resolves), "")
        gateway = next((network.gateway for network, _ in places), "127.0.0.1")
        texts = {
            "hosts": names.hosts(record, [place.ip_address for _, place in places], gateway),
            "hostname": f"{record.config.hostname}\n",
            "resolv.conf": names.resolv_conf(record, server),
        }
        for name, text in texts.items():
            file = container.directory / name
            file.write_text(text)
            file.chmod(0o644)

    def files(self, container: Container) -> dict[str, str]:
        """The files bound into a container, target to source; one that shares another's network shares its files."""
        mode = container.record.network_mode
        owner = self._daemon.containers.find(mode.partition(":")[2]) if mode.startswith("container:") else container
        return {f"/etc/{name}": str(owner.directory / name) for name in ("hosts", "hostname", "resolv.conf")}

    # The engine's own start and end

    async def start(self) -> None:
        """Nothing is raised before a container or a creation needs it."""

    def remember(self, container: Container) -> None:
        """Holds what a container found running has: its ports and its networks' bridges."""
        self._ports.hold(container.record)
        for place in container.record.networks.values():
            if place.endpoint_id:
                self._raised.add(place.network_id)

    async def reconcile(self) -> None:
        """Puts interfaces, namespaces, rules and names in line with the records."""
        config = self._daemon.config
        running = [each for each in self._daemon.containers.all() if each.record.running]
        kept = {
            config.link("v", place.endpoint_id)
            for each in running
            for place in each.record.networks.values()
            if place.endpoint_id
        }
        spaces = {each.id[:SHORT] for each in running}
        for left in self._namespaces.iterdir():
            if left.name not in spaces:
                netns.remove(left)
        custom = [record for record in self.all() if record.driver == "bridge" and record.name != DEFAULT]
        found = [name for _, name in socket.if_nameindex()]
        stray = [name for name in found if name.startswith(config.prefix("v")) and name not in kept]
        known = {record.interface for record in self.all()}
        stray += [name for name in found if name.startswith(config.prefix("b")) and name not in known]
        if stray:
            from pyd_core.linux import links  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

            for name in stray:
                await rules.let_through(name, wanted=False)
                await asyncio.to_thread(links.remove, name)
        for record in custom:
            await self._raise(record)
        if self._raised:
            await self._write_rules()
        await self._serve_names()

    async def stop(self) -> None:
        """Lowers the bridges nobody is on, so that an idle engine leaves nothing in the host's network."""
        self._ports.release_all()
        for record in self.all():
            if record.id in self._raised and not self.members(record):
                with contextlib.suppress(PydError):
                    await self._lower(record)
