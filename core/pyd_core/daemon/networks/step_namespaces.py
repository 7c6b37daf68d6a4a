"""Network namespaces of build steps: on the default bridge, reused from step to step.

A step can't change its namespace, as it has no CAP_NET_ADMIN; one that could gets a namespace of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.networks import addresses
from pyd_core.daemon.networks.address_allocator import AddressAllocator
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.linux import netns
from pyd_core.linux.userns import IdMap
from pyd_core.tasks import TaskOwner

MAX_IDLE = 4
"""Namespaces that are kept for later steps."""


@dataclass(frozen=True)
class StepNamespace:
    """A namespace with an interface."""

    path: Path
    link: str
    network_id: str
    addresses: tuple[str, ...]


class StepNamespaces:
    """The namespaces of build steps."""

    def __init__(
        self, config: DaemonConfig, networks: NetworkStore, allocator: AddressAllocator, tasks: TaskOwner
    ) -> None:
        self._config = config
        self._networks = networks
        self._allocator = allocator
        self._tasks = tasks
        self._directory = config.run / "netns"
        self._idle: list[StepNamespace] = []
        self._is_closed = False

    @asynccontextmanager
    async def use(
        self, network: str = "", *, alone: bool = False, ids: IdMap | None = None
    ) -> AsyncIterator[dict[str, str]]:
        """Provide a namespace, as paths by the OCI specification's type names.

        Args:
            network: The network's name or id; empty is the default bridge.
            alone: Whether it is removed afterwards, instead of being kept for another step.
            ids: Ids of the user namespace that owns it, which is provided too; None is the host's.
        """
        alone = alone or ids is not None or bool(network)
        namespace = self._idle.pop() if self._idle and not alone else await self._make(network or "bridge", ids)
        try:
            paths = {"network": str(namespace.path)}
            yield paths if ids is None else {**paths, "user": str(_owner(namespace.path))}
        finally:
            if alone or self._is_closed or len(self._idle) >= MAX_IDLE:
                await asyncio.shield(self._tasks.start(self._remove(namespace)))
            else:
                self._idle.append(namespace)

    async def _make(self, name: str, ids: IdMap | None) -> StepNamespace:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        key = os.urandom(16).hex()
        path = self._directory / f"step-{key[:12]}"
        network = self._networks.find(name)
        async with self._networks.lock:
            await self._networks.ensure_interface(network)
            leased = self._allocator.lease(network)
        namespace = StepNamespace(path, self._config.link("v", key), network.id, tuple(map(str, leased)))
        try:
            if ids is None:
                netns.create(path)
            else:
                await asyncio.to_thread(netns.create_owned, path, _owner(path), ids)
            interface = netlink.InterfaceSpec(
                host=namespace.link,
                name="eth0",
                on=network.interface,
                addresses=[
                    (str(address), addresses.parse_subnet(subnet).prefixlen)
                    for address, subnet in zip(leased, (network.subnet, network.subnet6), strict=False)
                ],
                mtu=network.mtu,
                hardware=addresses.derive_mac(leased[0]),
                gateways=() if network.internal else network.gateways,
            )
            await asyncio.to_thread(netlink.attach_interface, path, interface)
        except BaseException:
            await asyncio.shield(self._tasks.start(self._remove(namespace)))
            raise
        return namespace

    async def _remove(self, namespace: StepNamespace) -> None:
        from pyd_core.linux import netlink  # noqa: PLC0415 - netlink loads with the first network, 0.2 s

        await asyncio.to_thread(netlink.remove, namespace.link)
        netns.remove(namespace.path)
        netns.remove(_owner(namespace.path))
        self._allocator.end_lease(namespace.network_id, namespace.addresses)

    async def close(self) -> None:
        """Remove the namespaces that are kept; those in use are removed once their steps end."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        for namespace in idle:
            await self._remove(namespace)


def _owner(path: Path) -> Path:
    """Return the file that keeps the user namespace alive which owns a network namespace."""
    return path.with_name(f"{path.name}.user")
