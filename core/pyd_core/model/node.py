"""Nodes: the machines of a swarm."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.service import ObjectVersion, ResourceObject


class NodeSpec(ApiStruct):
    """Requested settings of a node."""

    SPEC: ClassVar[str] = "NodeSpec"

    name: str = ""
    labels: dict[str, str] = {}
    role: str = ""
    """`worker` or `manager`."""
    availability: str = ""
    """`active`, `pause` (keeps its tasks, gets no more) or `drain` (its tasks move elsewhere)."""


class NodePlatform(ApiStruct):
    """Platform of a node's programs."""

    SPEC: ClassVar[str] = "Platform"

    architecture: str = ""
    os: str = msgspec.field(name="OS", default="")


class NodeEngine(ApiStruct):
    """Engine of a node."""

    SPEC: ClassVar[str] = "EngineDescription"

    engine_version: str = ""
    labels: dict[str, str] = {}


class NodeDescription(ApiStruct):
    """Machine of a node."""

    SPEC: ClassVar[str] = "NodeDescription"

    hostname: str = ""
    platform: NodePlatform = msgspec.field(default_factory=NodePlatform)
    resources: ResourceObject = msgspec.field(default_factory=ResourceObject)
    engine: NodeEngine = msgspec.field(default_factory=NodeEngine)


class NodeStatus(ApiStruct):
    """Health of a node."""

    SPEC: ClassVar[str] = "NodeStatus"

    state: str = ""
    """`ready`, `down`, `disconnected` or `unknown`."""
    message: str = ""
    addr: str = ""


class ManagerStatus(ApiStruct):
    """Health of a manager."""

    SPEC: ClassVar[str] = "ManagerStatus"

    leader: bool = False
    reachability: str = ""
    addr: str = ""


class Node(ApiStruct):
    """Node of a swarm."""

    SPEC: ClassVar[str] = "Node"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    description: NodeDescription = msgspec.field(default_factory=NodeDescription)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)
    manager_status: ManagerStatus | None = None
    """None for a worker."""

    @property
    def name(self) -> str:
        """The name to show."""
        return self.spec.name or self.description.hostname or self.id
