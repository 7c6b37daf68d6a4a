"""Differences of Docker Engine's JSON from "every field present": its nulls, omissions and constants.

Go writes a slice or map that was never set as `null`, and leaves out a field tagged `omitempty`; clients such as
docker-py compare with None, so the difference is seen. The tables are Docker Engine 26.1's
(`api/types/container`, `api/types/network`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from pyd_core.model.container import Container, ContainerSummary, NetworkSettings, Pruned, Updated
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig
from pyd_core.model.network import EndpointSettings
from pyd_core.model.stats import BlockStats, ContainerStats, CpuStats, CpuUsage, MemoryStats, PidsStats
from pyd_core.model.system import Info, SwarmInfo


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON shape of a type."""

    null: frozenset[str] = frozenset()
    """Fields that are null where they are empty or None, by their name on the wire."""
    nullable: frozenset[str] = frozenset()
    """Fields that are null where they are None; an empty one is written as it is."""
    omitted: frozenset[str] = frozenset()
    """Fields that are left out where they are empty, zero or None."""
    constant: Mapping[str, Any] = MappingProxyType({})
    """Fields that clients look up and this engine doesn't use."""


PLAIN = Shape()

NULL_WHEN_UNSET = (
    *("Binds", "CapAdd", "CapDrop", "DeviceCgroupRules", "DeviceRequests", "Devices", "Dns", "DnsOptions", "DnsSearch"),
    *("ExtraHosts", "GroupAdd", "Links", "PortBindings", "SecurityOpt", "Ulimits", "VolumesFrom", "BlkioWeightDevice"),
    *("BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"),
)
"""Fields of a host configuration that are null unless the client that made the container sent them."""

SHAPES: Mapping[type, Shape] = {
    HostConfig: Shape(
        null=frozenset({*NULL_WHEN_UNSET, "PidsLimit", "MemorySwappiness"}),
        omitted=frozenset({"Annotations", "Mounts", "StorageOpt", "Sysctls", "Tmpfs"}),
        constant={"Cgroup": "", "CpuCount": 0, "CpuPercent": 0, "IOMaximumIOps": 0, "IOMaximumBandwidth": 0},
    ),
    ContainerConfig: Shape(
        null=frozenset({"Entrypoint", "Env", "OnBuild", "Volumes"}),
        nullable=frozenset({"Cmd"}),  # `CMD []` isn't none
        omitted=frozenset({"ExposedPorts", "Shell", "StopSignal"}),
    ),
    EndpointSettings: Shape(null=frozenset({"Aliases", "DNSNames", "DriverOpts", "IPAMConfig", "Links"})),
    NetworkSettings: Shape(
        constant={
            "Bridge": "",
            "HairpinMode": False,
            "LinkLocalIPv6Address": "",
            "LinkLocalIPv6PrefixLen": 0,
            "SecondaryIPAddresses": None,
            "SecondaryIPv6Addresses": None,
        }
    ),
    Container: Shape(nullable=frozenset({"ExecIDs"})),
    ContainerSummary: Shape(omitted=frozenset({"SizeRw", "SizeRootFs"})),
    Pruned: Shape(null=frozenset({"ContainersDeleted"})),
    BlockStats: Shape(
        nullable=frozenset(
            {
                *("io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive"),
                *("io_service_time_recursive", "io_wait_time_recursive", "io_merged_recursive", "io_time_recursive"),
                "sectors_recursive",
            }
        )
    ),
    Updated: Shape(nullable=frozenset({"Warnings"})),
    CpuUsage: Shape(omitted=frozenset({"percpu_usage"})),
    CpuStats: Shape(omitted=frozenset({"system_cpu_usage", "online_cpus"})),
    MemoryStats: Shape(omitted=frozenset({"usage", "max_usage", "limit", "stats", "failcnt"})),
    PidsStats: Shape(omitted=frozenset({"current", "limit"})),
    ContainerStats: Shape(omitted=frozenset({"networks"}), constant={"num_procs": 0, "storage_stats": {}}),
    Info: Shape(null=frozenset({"Warnings"})),
    SwarmInfo: Shape(null=frozenset({"RemoteManagers"}), constant={"NodeAddr": "", "Error": ""}),
}


def shape_of(kind: type) -> Shape:
    """Return a type's JSON shape; a subclass has that of its base."""
    return next((SHAPES[base] for base in kind.__mro__ if base in SHAPES), PLAIN)
