"""All networks: lookup, creation and removal, and their interfaces on the host."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

import msgspec

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.options import parse_port
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.networks import addresses, rules
from pyd_core.daemon.networks.firewalld import Firewalld
from pyd_core.daemon.networks.record import BRIDGE_OPTION, DEFAULT, FIXED, MTU, NetworkRecord
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import Ambiguous, Conflict, InvalidInput, NotFound, PydError, Refused
from pyd_core.model.network import EndpointSettings, IpamConfig, NetworkMember
from pyd_core.tasks import TaskOwner

OPTION = BRIDGE_OPTION
HOST_BINDING = f"{OPTION}host_binding_ipv4"
"""Option with the host address for published ports that name none."""
_INTERFACE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,14}")
"""Stricter than the kernel: the name is written into packet rules."""


class NetworkStore:
    """The engine's networks.

    Attributes:
        lock: Held while networks, endpoints, rules or names change.
    """

    def __init__(
        self,
        *,
        config: DaemonConfig,
        store: Store,
        events: EventBus,
        tasks: TaskOwner,
        containers: ContainerLookup,
    ) -> None:
        self._config = config
        self._events = events
        self._tasks = tasks
        self._containers = containers
        self._shelf = StoreTable(store, "network", NetworkRecord)
        self.lock = asyncio.Lock()
        self._raised: set[str] = set()
        """Networks whose interface is known to be up."""
        self._firewalld = Firewalld()
        if config.subnet:
            addresses.subnet4(config.subnet)
        for name, driver in zip(FIXED, ("bridge", "host", "null"), strict=True):
            if self._named(name) is None:
                made = {"id": secrets.token_hex(32), "name": name, "driver": driver, "created_ns": time.time_ns()}
                record = msgspec.convert(made, NetworkRecord)
                if name == DEFAULT:
                    record.interface = config.bridge
                    record.options = {f"{OPTION}default_bridge": "true", f"{OPTION}name": record.interface}
                self._shelf.put(record.id, record)

    # Lookup

    def _named(self, name: str) -> NetworkRecord | None:
        return next((record for record in self._shelf if record.name == name), None)

    def all(self) -> list[NetworkRecord]:
        """Return every network, the oldest first."""
        return sorted(self._shelf, key=lambda record: record.created_ns)

    def find(self, name: str) -> NetworkRecord:
        """Return a network by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is no such network.
            Ambiguous: Several ids have this prefix.
        """
        exact = self._shelf.get(name) or self._named(DEFAULT if name == "default" else name)
        if exact is not None:
            return exact
        found = [record for record in self._shelf if name and record.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        if not name:
            raise InvalidInput('invalid name or ID supplied: ""')
        if found:
            raise Ambiguous(f"network {name} is ambiguous", candidates=[record.id for record in found])
        raise NotFound(f"network {name[:128]} not found")

    def members(self, record: NetworkRecord) -> list[tuple[EngineContainer, EndpointSettings]]:
        """Return the running containers on a network, with their endpoints."""
        return [
            (container, container.record.networks[record.name])
            for container in self._containers.all()
            if record.name in container.record.networks and container.record.networks[record.name].endpoint_id
        ]

    def shown_members(self, record: NetworkRecord) -> dict[str, NetworkMember]:
        """Return the running containers on a network as inspect shows them."""
        return {
            container.id: NetworkMember(
                name=container.record.name,
                endpoint_id=place.endpoint_id,
                mac_address=place.mac_address,
                ipv4_address=f"{place.ip_address}/{place.ip_prefix_len}" if place.ip_address else "",
                ipv6_address=(
                    f"{place.global_ipv6_address}/{place.global_ipv6_prefix_len}" if place.global_ipv6_address else ""
                ),
            )
            for container, place in self.members(record)
        }

    # Creation and removal

    async def create(self, record: NetworkRecord, ranges: Sequence[IpamConfig], *, ipv6: bool) -> NetworkRecord:
        """Create a network.

        Args:
            record: The network, without addresses.
            ranges: At most one per IP version; missing ones are allocated.
            ipv6: Whether it has IPv6.

        Raises:
            Conflict: The name is in use, or the subnet overlaps another network's.
            InvalidInput: The subnet or gateway is invalid.
        """
        async with self.lock:
            if self._named(record.name) is not None:
                raise Conflict(f"network with name {record.name} already exists")
            await self._settle_subnets(record, ranges, ipv6=ipv6)
            _check_options(record)
            asked = record.options.get(f"{OPTION}name" if record.driver == "bridge" else "parent", "")
            if asked and not _INTERFACE.fullmatch(asked):
                raise InvalidInput(f"invalid interface name: {asked[:40]!r}")
            if asked and record.driver == "bridge" and any(asked == each.interface for each in self._shelf):
                raise Refused(f"interface {asked} is another network's")
            if asked and record.driver == "bridge" and asked in {name for _, name in socket.if_nameindex()}:
                raise Refused(  # it would be reconfigured now, and removed with the network
                    f"interface {asked} is there already, and isn't this engine's",
                    hint=f"choose another {OPTION}name, or leave it out",
                )
            record.interface = asked or self._config.link("b", record.id)
            self._shelf.put(record.id, record)
            try:
                await self.ready(record)
            except PydError:
                self._shelf.delete(record.id)
                raise
        self._events.emit("network", "create", record.id, {"name": record.name, "type": record.driver})
        return record

    async def _settle_subnets(self, record: NetworkRecord, ranges: Sequence[IpamConfig], *, ipv6: bool) -> None:
        named = {addresses.subnet(each.subnet).version: each for each in ranges if each.subnet}
        if len(named) < sum(1 for each in ranges if each.subnet):
            raise InvalidInput("one subnet a network and version of IP is served by this engine")
        if 6 in named and not ipv6:
            raise InvalidInput("invalid network config: an IPv6 subnet, and IPv6 is not enabled (--ipv6)")
        loose = next((each for each in ranges if not each.subnet), IpamConfig())
        own = [addresses.subnet(text) for each in self._shelf for text in (each.subnet, each.subnet6) if text]
        for version in (4, 6) if ipv6 else (4,):
            config = named.get(version)
            net: addresses.Net
            if config is not None:
                net = addresses.subnet(config.subnet)
                if any(net.version == other.version and net.overlaps(other) for other in own):
                    raise Refused("Pool overlaps with other one on this address space")
            elif version == 6:
                net = addresses.local_subnet(record.id)
            else:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                net = addresses.free_subnet([*own, *await asyncio.to_thread(netlink.routed_networks)])
            self._take_subnet(record, net, config or (loose if version == 4 else IpamConfig()), named=bool(config))

    def _take_subnet(self, record: NetworkRecord, net: addresses.Net, config: IpamConfig, *, named: bool) -> None:
        gateway = addresses.address(config.gateway, net) if config.gateway else next(iter(net.hosts()))
        if config.ip_range:
            within = addresses.subnet(config.ip_range) if "/" in config.ip_range else None
            if within is None or within.version != net.version or not within.subnet_of(net):  # type: ignore[arg-type]
                raise InvalidInput(f"invalid ip-range {config.ip_range[:60]}: it lies outside {net}")
        for name, text in config.auxiliary_addresses.items():
            record.reserved[name] = str(addresses.address(text, net))
        if net.version == 4:
            record.subnet, record.gateway, record.ip_range = str(net), str(gateway), config.ip_range
            record.own_subnet = named
        else:
            record.subnet6, record.gateway6, record.ip_range6 = str(net), str(gateway), config.ip_range
            record.own_subnet6 = named

    async def remove(self, record: NetworkRecord) -> None:
        """Remove a network without containers.

        Raises:
            Refused: It is predefined, or has containers.
        """
        if record.name in FIXED:
            raise Refused(f"{record.name} is a pre-defined network and cannot be removed")
        async with self.lock:
            if self.members(record):
                raise Refused(
                    f"error while removing network: network {record.name} id {record.id} has active endpoints"
                )
            self._shelf.delete(record.id)
            await self._lower(record)
        self._events.emit("network", "destroy", record.id, {"name": record.name, "type": record.driver})

    # On the host

    async def ready(self, record: NetworkRecord) -> None:
        """Create a network's interface on the host if it is missing; the caller holds the lock."""
        if record.id in self._raised:
            return
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        if record.driver != "bridge":
            vlan = record.options.get("parent", "")
            made = await asyncio.to_thread(netlink.ensure_parent, record.interface, vlan=vlan)
            if made and vlan:
                record.made_parent = True
                self._shelf.put(record.id, record)
            self._raised.add(record.id)
            return
        if not record.subnet:
            subnet = self._config.subnet
            await self._settle_subnets(record, [IpamConfig(subnet=subnet)] if subnet else [], ipv6=False)
            self._shelf.put(record.id, record)
        own = [(record.gateway, addresses.subnet(record.subnet).prefixlen)]
        if record.gateway6:
            own.append((record.gateway6, addresses.subnet(record.subnet6).prefixlen))
        await asyncio.to_thread(netlink.ensure_bridge, record.interface, own)
        self._raised.add(record.id)
        await self.write_rules()
        self._firewalld.watch(self._tasks, self._pass_firewalls_again)
        await self._pass_firewalls(record)

    def known_ready(self, network_id: str) -> None:
        """Mark a network's interface as up, because a running container is on it."""
        self._raised.add(network_id)

    async def _pass_firewalls(self, record: NetworkRecord) -> None:
        await rules.let_through(record.interface, wanted=True, named=record.resolves)
        await self._firewalld.trust(record.interface)

    async def _pass_firewalls_again(self) -> None:
        for record in self.all():
            async with self.lock:
                if record.id in self._raised and record.driver == "bridge":
                    await self._pass_firewalls(record)

    async def _lower(self, record: NetworkRecord) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        self._raised.discard(record.id)
        if record.driver != "bridge":
            if record.made_parent or "parent" not in record.options:
                await asyncio.to_thread(netlink.remove, record.interface)
            return
        await rules.let_through(record.interface, wanted=False, named=record.resolves)
        await self._firewalld.forget(record.interface)
        await asyncio.to_thread(netlink.remove, record.interface)
        await self.write_rules()

    async def write_rules(self) -> None:
        """Write the packet rules of all networks."""
        bridges = [
            rules.Bridge(
                interface=record.interface,
                subnet=record.subnet,
                subnet6=record.subnet6,
                internal=record.internal,
                masquerade=record.options.get(f"{OPTION}enable_ip_masquerade", "true") != "false",
                between=record.options.get(f"{OPTION}enable_icc", "true") != "false",
                name_servers=record.gateways if record.resolves else (),
            )
            for record in self.all()
            if record.id in self._raised and record.driver == "bridge"
        ]
        await rules.apply(rules.plan(self._config.table, bridges, list(self._published()), six=socket.has_ipv6))

    def _published(self) -> Iterable[rules.Published]:
        internal = {record.name for record in self._shelf if record.internal}
        for container in self._containers.all():
            record = container.record
            places = [place for name, place in record.networks.items() if name not in internal]
            four = next((place.ip_address for place in places if place.ip_address), "")
            six = next((place.global_ipv6_address for place in places if place.global_ipv6_address), "")
            for port, bindings in record.ports.items():
                number, protocol = parse_port(port)
                for each in bindings:
                    address = six if ":" in each.host_ip else four
                    if address:
                        yield rules.Published(
                            protocol=protocol,
                            host_address=each.host_ip,
                            host_port=int(each.host_port),
                            address=address,
                            port=number,
                        )

    async def reconcile(self) -> None:
        """Reconcile the host's interfaces and rules with the records."""
        config = self._config
        known = {record.interface for record in self.all()}
        there = {name for _, name in socket.if_nameindex()}
        for name in there:
            if name.startswith(config.prefix("b")) and name not in known:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                await rules.let_through(name, wanted=False, named=True)
                await self._firewalld.forget(name)
                await asyncio.to_thread(netlink.remove, name)
        if self._raised:  # ufw and firewalld may have dropped them while no engine ran
            self._firewalld.watch(self._tasks, self._pass_firewalls_again)
            self._tasks.start(self._pass_firewalls_again())
        for record in self.all():
            if record.name not in FIXED or record.interface in there:  # a killed engine left the default bridge
                await self.ready(record)
        if self._raised:
            await self.write_rules()

    async def stop(self) -> None:
        """Remove bridges without containers, so that an idle engine leaves nothing in the host's network."""
        for record in self.all():
            if record.id in self._raised and not self.members(record):
                with contextlib.suppress(PydError):
                    await self._lower(record)


def _check_options(record: NetworkRecord) -> None:
    mtu = record.options.get(MTU, "")
    if mtu and not (mtu.isdecimal() and len(mtu) < 6 and 68 <= int(mtu) <= 65535):  # RFC 791, and the limit of a veth
        raise InvalidInput(f"invalid {MTU}: {mtu[:20]!r} is not a number from 68 to 65535")
    address = record.options.get(HOST_BINDING, "")
    if address:
        try:
            IPv4Address(address)
        except ValueError:
            raise InvalidInput(f"invalid {HOST_BINDING}: {address[:40]!r} is no IPv4 address") from None
