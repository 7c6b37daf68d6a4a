"""Nodes of a cluster."""

from __future__ import annotations

from pyd_core.kube.model.meta import ClusterStruct, Condition, ObjectMeta

PRESSURES = {"MemoryPressure": "memory", "DiskPressure": "disk space", "PIDPressure": "process ids"}
"""Conditions of a node that is short of a resource, and the resource."""


class Taint(ClusterStruct):
    """Mark that keeps pods away from a node."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeInfo(ClusterStruct):
    """Versions on a node."""

    kubelet_version: str = ""
    container_runtime_version: str = ""
    os_image: str = ""
    kernel_version: str = ""
    architecture: str = ""


class ClusterNodeSpec(ClusterStruct):
    """Specification of a node."""

    unschedulable: bool = False
    taints: list[Taint] = []
    pod_cidr: str = ""


class ClusterNodeStatus(ClusterStruct):
    """Status of a node."""

    conditions: list[Condition] = []
    capacity: dict[str, str | int | float] = {}
    allocatable: dict[str, str | int | float] = {}
    node_info: NodeInfo = NodeInfo()


class ClusterNode(ClusterStruct):
    """Node, with the parts that pyd reads."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ClusterNodeSpec = ClusterNodeSpec()
    status: ClusterNodeStatus = ClusterNodeStatus()

    @property
    def problems(self) -> list[str]:
        """The conditions that are wrong: pressure, or no answer."""
        wrong = []
        for condition in self.status.conditions:
            if condition.type == "Ready":
                wrong += [] if condition.status == "True" else [f"not ready: {condition.reason}"]
            elif condition.status == "True":
                wrong.append(condition.type)
        return wrong
