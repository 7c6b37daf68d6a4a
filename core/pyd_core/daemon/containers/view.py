"""Containers as the API shows them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pyd_core.daemon.containers import apparmor, capabilities, mount_rules, status_text
from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.log_options import DRIVERS, NONE
from pyd_core.daemon.containers.oci_spec import Security
from pyd_core.daemon.containers.options import parse_port
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.networks import legacy_links
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.model.base import format_time
from pyd_core.model.container import Container as Inspected
from pyd_core.model.container import (
    ContainerSummary,
    GraphDriver,
    NetworkSettings,
    Port,
    SummaryHostConfig,
    SummaryNetworks,
)
from pyd_core.model.host_config import LogConfig, PortBinding, RestartPolicy


class ContainerView:
    """Shows containers as the API does.

    Args:
        containers: All containers.
        layers: The layers of all images.
        base: The lowest layer of every container.
        endpoints: Knows their network namespaces.
        default_runtime: The name of the runtime that containers have which name none.
        unified: Whether the host has version 2 of control groups only.
    """

    def __init__(
        self,
        *,
        containers: ContainerLookup,
        layers: LayerStore,
        base: Path,
        endpoints: Endpoints,
        default_runtime: str,
        unified: bool,
    ) -> None:
        self._containers = containers
        self._layers = layers
        self._base = base
        self._endpoints = endpoints
        self._default_runtime = default_runtime
        self._unified = unified

    def summary(self, container: EngineContainer) -> ContainerSummary:
        """Return a container's line in a list."""
        record = container.record
        image = record.image
        return ContainerSummary(
            id=record.id,
            names=[f"/{record.name}", *legacy_links.link_names(self._containers, container)],
            image=image,
            image_id=record.image_id,
            command=" ".join(_quoted(word) for word in record.command),
            created=record.created_ns // 10**9,
            ports=ports(container),
            labels=record.config.labels,
            state=record.status,
            status=status_text.status(container),
            host_config=SummaryHostConfig(network_mode=record.network_mode),
            network_settings=SummaryNetworks(networks=record.networks),
            mounts=[mount.point() for mount in record.mounts if mount.kind != "tmpfs"],
        )

    def inspect(self, container: EngineContainer) -> Inspected:
        """Return a container's full inspect data."""
        record = container.record
        command = record.command
        files = container.directory
        tmpfs = {mount_rules.target(path) for path in record.host.tmpfs}  # `--tmpfs`, unlike `--mount`, is shown there
        state = record.state()
        if container.health is not None:
            state = msgspec.structs.replace(state, health=container.health)
        host = record.host
        host = msgspec.structs.replace(
            host,
            log_config=LogConfig(
                type=host.log_config.type if host.log_config.type in DRIVERS else "json-file",
                config=host.log_config.config,
            ),
            network_mode=record.network_mode,
            links=legacy_links.inspect_links(self._containers, record),
            restart_policy=RestartPolicy(
                name=host.restart_policy.name or "no", maximum_retry_count=host.restart_policy.maximum_retry_count
            ),
            ipc_mode=host.ipc_mode or "private",
            cgroupns_mode=host.cgroupns_mode or ("private" if self._unified else "host"),
            runtime=host.runtime or self._default_runtime,
            shm_size=host.shm_size or 64 << 20,
            console_size=host.console_size if len(host.console_size or ()) == 2 else [0, 0],
            memory_swappiness=None if host.memory_swappiness == -1 else host.memory_swappiness,
            masked_paths=host.masked_paths
            if host.masked_paths is not None
            else []
            if host.privileged
            else capabilities.MASKED,
            readonly_paths=(
                host.readonly_paths
                if host.readonly_paths is not None
                else []
                if host.privileged
                else capabilities.READ_ONLY
            ),
        )
        return Inspected(
            id=record.id,
            created=format_time(record.created_ns),
            path=command[0] if command else "",
            args=command[1:],
            state=state,
            image=record.image_id,
            resolv_conf_path=str(files / "resolv.conf"),
            hostname_path=str(files / "hostname"),
            hosts_path=str(files / "hosts"),
            log_path="" if host.log_config.type == NONE else str(container.log),
            name_=f"/{record.name}",
            restart_count=record.restart_count,
            driver="overlay2",
            platform="linux",
            app_armor_profile=apparmor.profile(
                host, Security.parse(host.security_opt).apparmor, is_supported=apparmor.supported()
            ),
            exec_ids=[key for key, exec_ in container.execs.items() if exec_.running] or None,
            host_config=host,
            graph_driver=GraphDriver(name="overlay2", data=self.layer_data(container)),
            mounts=[mount.point() for mount in record.mounts if mount.target not in tmpfs],
            config=record.config,
            network_settings=self.network_settings(container),
        )

    def layer_data(self, container: EngineContainer) -> dict[str, str]:
        """Return the directories of a container's layers, under Docker's names."""
        lower = [str(self._layers.directory(diff_id)) for diff_id in reversed(container.record.layers)]
        return {
            "LowerDir": ":".join([*lower, str(self._base)]),
            "MergedDir": str(container.root),
            "UpperDir": str(container.upper),
            "WorkDir": str(container.work),
        }

    def network_settings(self, container: EngineContainer) -> NetworkSettings:
        """Return a container's networks and published ports."""
        record = container.record
        bound: dict[str, list[PortBinding] | None] = {}
        if record.running:
            published = record.ports
            bound = {text: published.get(text) for text in sorted({*record.config.exposed_ports, *published})}
        own = record.networks.get("bridge")
        return NetworkSettings(
            sandbox_id=record.id if record.running else "",
            sandbox_key=self._endpoints.namespace_path(container) if record.running else "",
            ports=bound,
            networks=record.networks,
            endpoint_id=own.endpoint_id if own else "",
            gateway=own.gateway if own else "",
            ip_address=own.ip_address if own else "",
            ip_prefix_len=own.ip_prefix_len if own else 0,
            ipv6_gateway=own.ipv6_gateway if own else "",
            global_ipv6_address=own.global_ipv6_address if own else "",
            global_ipv6_prefix_len=own.global_ipv6_prefix_len if own else 0,
            mac_address=own.mac_address if own else "",
        )


def _quoted(word: str) -> str:
    return word if word and not set(word) & set(" \t'\"\\") else "'" + word.replace("'", "'\\''") + "'"


def ports(container: EngineContainer) -> list[Port]:
    """Return a container's published and exposed ports."""
    record = container.record
    if not record.running:
        return []
    shown: list[Port] = []
    bound = record.ports
    for text in sorted({*record.config.exposed_ports, *bound}):
        number, kind = parse_port(text)
        bindings = bound.get(text)
        if not bindings:
            shown.append(Port(private_port=number, type=kind))
        for binding in bindings or []:
            public = int(binding.host_port)
            shown.append(Port(private_port=number, type=kind, public_port=public, ip=binding.host_ip))
    return shown
