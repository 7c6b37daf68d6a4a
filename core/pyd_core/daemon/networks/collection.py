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
from pyd_core.daemon.networks import addresses, firewall
from pyd_core.daemon.networks.firewalld import Firewalld
from pyd_core.daemon.networks.record import BRIDGE_OPTION, DEFAULT, MTU_OPTION, PREDEFINED, NetworkRecord
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
        self._table = StoreTable(store, "network", NetworkRecord)
        self.lock = asyncio.Lock()
        self._interfaces_up: set[str] = set()
        """Networks whose interface is known to be up."""
        self._firewalld = Firewalld()
        if config.subnet:
            addresses.parse_subnet4(config.subnet)
        for name, driver in zip(PREDEFINED, ("bridge", "host", "null"), strict=True):
            if self._find_by_name(name) is None:
                fields = {"id": secrets.token_hex(32), "name": name, "driver": driver, "created_ns": time.time_ns()}
                record = msgspec.convert(fields, NetworkRecord)
                if name == DEFAULT:
                    record.interface = config.bridge
                    record.options = {f"{OPTION}default_bridge": "true", f"{OPTION}name": record.interface}
                self._table.put(record.id, record)

    # Lookup

    def _find_by_name(self, name: str) -> NetworkRecord | None:
        return next((record for record in self._table if record.name == name), None)

    def all(self) -> list[NetworkRecord]:
        """Return every network, the oldest first."""
        return sorted(self._table, key=lambda record: record.created_ns)

    def find(self, name: str) -> NetworkRecord:
        """Return a network by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is no such network.
            Ambiguous: Several ids have this prefix.
        """
        exact = self._table.get(name) or self._find_by_name(DEFAULT if name == "default" else name)
        if exact is not None:
            return exact
        matches = [record for record in self._table if name and record.id.startswith(name)]
        if len(matches) == 1:
            return matches[0]
        if not name:
            raise InvalidInput('invalid name or ID supplied: ""')
        if matches:
            raise Ambiguous(f"network {name} is ambiguous", candidates=[record.id for record in matches])
        raise NotFound(f"network {name[:128]} not found")

    def members(self, record: NetworkRecord) -> list[tuple[EngineContainer, EndpointSettings]]:
        """Return the running containers on a network, with their endpoints."""
        return [
            (container, container.record.networks[record.name])
            for container in self._containers.all()
            if record.name in container.record.networks and container.record.networks[record.name].endpoint_id
        ]

    def inspect_members(self, record: NetworkRecord) -> dict[str, NetworkMember]:
        """Return the running containers on a network as inspect shows them."""
        return {
            container.id: NetworkMember(
                name=container.record.name,
                endpoint_id=endpoint.endpoint_id,
                mac_address=endpoint.mac_address,
                ipv4_address=f"{endpoint.ip_address}/{endpoint.ip_prefix_len}" if endpoint.ip_address else "",
                ipv6_address=(
                    f"{endpoint.global_ipv6_address}/{endpoint.global_ipv6_prefix_len}"
                    if endpoint.global_ipv6_address
                    else ""
                ),
            )
            for container, endpoint in self.members(record)
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
            if self._find_by_name(record.name) is not None:
                raise Conflict(f"network with name {record.name} already exists")
            await self._assign_subnets(record, ranges, ipv6=ipv6)
            _check_options(record)
            requested = record.options.get(f"{OPTION}name" if record.driver == "bridge" else "parent", "")
            if requested and not _INTERFACE.fullmatch(requested):
                raise InvalidInput(f"invalid interface name: {requested[:40]!r}")
            if requested and record.driver == "bridge" and any(requested == other.interface for other in self._table):
                raise Refused(f"interface {requested} is another network's")
            if requested and record.driver == "bridge" and requested in {name for _, name in socket.if_nameindex()}:
                raise Refused(  # it would be reconfigured now, and removed with the network
                    f"interface {requested} is there already, and isn't this engine's",
                    hint=f"choose another {OPTION}name, or leave it out",
                )
            record.interface = requested or self._config.link("b", record.id)
            self._table.put(record.id, record)
            try:
                await self.ensure_interface(record)
            except PydError:
                self._table.delete(record.id)
                raise
        self._events.emit("network", "create", record.id, {"name": record.name, "type": record.driver})
        return record

    async def _assign_subnets(self, record: NetworkRecord, ranges: Sequence[IpamConfig], *, ipv6: bool) -> None:
        by_version = {addresses.parse_subnet(config.subnet).version: config for config in ranges if config.subnet}
        if len(by_version) < sum(1 for config in ranges if config.subnet):
            raise InvalidInput("one subnet a network and version of IP is served by this engine")
        if 6 in by_version and not ipv6:
            raise InvalidInput("invalid network config: an IPv6 subnet, and IPv6 is not enabled (--ipv6)")
        without_subnet = next((config for config in ranges if not config.subnet), IpamConfig())
        used = [addresses.parse_subnet(text) for other in self._table for text in (other.subnet, other.subnet6) if text]
        for version in (4, 6) if ipv6 else (4,):
            config = by_version.get(version)
            net: addresses.Net
            if config is not None:
                net = addresses.parse_subnet(config.subnet)
                if any(net.version == other.version and net.overlaps(other) for other in used):
                    raise Refused("Pool overlaps with other one on this address space")
            elif version == 6:
                net = addresses.local_subnet(record.id)
            else:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                net = addresses.free_subnet([*used, *await asyncio.to_thread(netlink.routed_networks)])
            self._set_subnet(
                record, net, config or (without_subnet if version == 4 else IpamConfig()), named=bool(config)
            )

    def _set_subnet(self, record: NetworkRecord, net: addresses.Net, config: IpamConfig, *, named: bool) -> None:
        gateway = addresses.parse_address(config.gateway, net) if config.gateway else next(iter(net.hosts()))
        if config.ip_range:
            within = addresses.parse_subnet(config.ip_range) if "/" in config.ip_range else None
            if within is None or within.version != net.version or not within.subnet_of(net):  # type: ignore[arg-type]
                raise InvalidInput(f"invalid ip-range {config.ip_range[:60]}: it lies outside {net}")
        for name, text in config.auxiliary_addresses.items():
            record.reserved[name] = str(addresses.parse_address(text, net))
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
        if record.name in PREDEFINED:
            raise Refused(f"{record.name} is a pre-defined network and cannot be removed")
        async with self.lock:
            if self.members(record):
                raise Refused(
                    f"error while removing network: network {record.name} id {record.id} has active endpoints"
                )
            self._table.delete(record.id)
            await self._remove_interface(record)
        self._events.emit("network", "destroy", record.id, {"name": record.name, "type": record.driver})

    # On the host

    async def ensure_interface(self, record: NetworkRecord) -> None:
        """Create a network's interface on the host if it is missing; the caller holds the lock."""
        if record.id in self._interfaces_up:
            return
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        if record.driver != "bridge":
            vlan = record.options.get("parent", "")
            is_created = await asyncio.to_thread(netlink.ensure_parent, record.interface, vlan=vlan)
            if is_created and vlan:
                record.made_parent = True
                self._table.put(record.id, record)
            self._interfaces_up.add(record.id)
            return
        await self._ensure_subnet(record)
        gateways = [(record.gateway, addresses.parse_subnet(record.subnet).prefixlen)]
        if record.gateway6:
            gateways.append((record.gateway6, addresses.parse_subnet(record.subnet6).prefixlen))
        await asyncio.to_thread(netlink.ensure_bridge, record.interface, gateways)
        self._interfaces_up.add(record.id)
        await self.write_rules()
        self._firewalld.watch(self._tasks, self._reopen_firewalls)
        await self._open_firewalls(record)

    async def _ensure_subnet(self, record: NetworkRecord) -> None:
        if not record.subnet:
            subnet = self._config.subnet
            await self._assign_subnets(record, [IpamConfig(subnet=subnet)] if subnet else [], ipv6=False)
            self._table.put(record.id, record)

    async def default_gateway(self) -> str:
        """Return the host's address in the default network, whose subnet is chosen now at the latest."""
        record = self.find(DEFAULT)
        async with self.lock:
            await self._ensure_subnet(record)
        return record.gateway

    def mark_up(self, network_id: str) -> None:
        """Mark a network's interface as up, because a running container is on it."""
        self._interfaces_up.add(network_id)

    async def _open_firewalls(self, record: NetworkRecord) -> None:
        await firewall.set_accept_rules(record.interface, allow=True, dns=record.has_name_server)
        await self._firewalld.trust(record.interface)

    async def _reopen_firewalls(self) -> None:
        for record in self.all():
            async with self.lock:
                if record.id in self._interfaces_up and record.driver == "bridge":
                    await self._open_firewalls(record)

    async def _remove_interface(self, record: NetworkRecord) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        self._interfaces_up.discard(record.id)
        if record.driver != "bridge":
            if record.made_parent or "parent" not in record.options:
                await asyncio.to_thread(netlink.remove, record.interface)
            return
        await firewall.set_accept_rules(record.interface, allow=False, dns=record.has_name_server)
        await self._firewalld.forget(record.interface)
        await asyncio.to_thread(netlink.remove, record.interface)
        await self.write_rules()

    async def write_rules(self) -> None:
        """Write the packet rules of all networks."""
        bridges = [
            firewall.Bridge(
                interface=record.interface,
                subnet=record.subnet,
                subnet6=record.subnet6,
                internal=record.internal,
                masquerade=record.options.get(f"{OPTION}enable_ip_masquerade", "true") != "false",
                allows_icc=record.options.get(f"{OPTION}enable_icc", "true") != "false",
                name_servers=record.gateways if record.has_name_server else (),
            )
            for record in self.all()
            if record.id in self._interfaces_up and record.driver == "bridge"
        ]
        await firewall.apply(
            firewall.plan(self._config.table, bridges, list(self._published()), has_ipv6=socket.has_ipv6)
        )

    def _published(self) -> Iterable[firewall.Published]:
        internal = {record.name for record in self._table if record.internal}
        for container in self._containers.all():
            record = container.record
            endpoints = [endpoint for name, endpoint in record.networks.items() if name not in internal]
            ipv4 = next((endpoint.ip_address for endpoint in endpoints if endpoint.ip_address), "")
            ipv6 = next((endpoint.global_ipv6_address for endpoint in endpoints if endpoint.global_ipv6_address), "")
            for port, bindings in record.ports.items():
                number, protocol = parse_port(port)
                for binding in bindings:
                    address = ipv6 if ":" in binding.host_ip else ipv4
                    if address:
                        yield firewall.Published(
                            protocol=protocol,
                            host_address=binding.host_ip,
                            host_port=int(binding.host_port),
                            address=address,
                            port=number,
                        )

    async def reconcile(self) -> None:
        """Reconcile the host's interfaces and rules with the records."""
        config = self._config
        known = {record.interface for record in self.all()}
        existing = {name for _, name in socket.if_nameindex()}
        for name in existing:
            if name.startswith(config.prefix("b")) and name not in known:
                from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

                await firewall.set_accept_rules(name, allow=False, dns=True)
                await self._firewalld.forget(name)
                await asyncio.to_thread(netlink.remove, name)
        if self._interfaces_up:  # ufw and firewalld may have dropped them while no engine ran
            self._firewalld.watch(self._tasks, self._reopen_firewalls)
            self._tasks.start(self._reopen_firewalls())
        for record in self.all():
            if record.name not in PREDEFINED or record.interface in existing:  # a killed engine left the default bridge
                await self.ensure_interface(record)
        if self._interfaces_up:
            await self.write_rules()

    async def stop(self) -> None:
        """Remove bridges without containers, so that an idle engine leaves nothing in the host's network."""
        for record in self.all():
            if record.id in self._interfaces_up and not self.members(record):
                with contextlib.suppress(PydError):
                    await self._remove_interface(record)


def _check_options(record: NetworkRecord) -> None:
    mtu = record.options.get(MTU_OPTION, "")
    if mtu and not (mtu.isdecimal() and len(mtu) < 6 and 68 <= int(mtu) <= 65535):  # RFC 791, and the limit of a veth
        raise InvalidInput(f"invalid {MTU_OPTION}: {mtu[:20]!r} is not a number from 68 to 65535")
    address = record.options.get(HOST_BINDING, "")
    if address:
        try:
            IPv4Address(address)
        except ValueError:
            raise InvalidInput(f"invalid {HOST_BINDING}: {address[:40]!r} is no IPv4 address") from None
