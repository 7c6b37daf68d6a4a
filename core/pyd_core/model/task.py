"""Tasks: the containers that a swarm runs for its services, on any node."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.service import ObjectVersion, TaskSpec


class TaskContainer(ApiStruct):
    """Container of a task on its node."""

    SPEC: ClassVar[str] = "ContainerStatus"

    container_id: str = msgspec.field(name="ContainerID", default="")
    pid: int = msgspec.field(name="PID", default=0)
    exit_code: int = 0


class TaskStatus(ApiStruct):
    """State of a task."""

    SPEC: ClassVar[str] = "TaskStatus"

    timestamp: str = ""
    state: str = ""
    """`new`, `pending`, `preparing`, `starting`, `running`, `complete`, `failed`, `rejected`, `shutdown` …."""
    message: str = ""
    err: str = ""
    container_status: TaskContainer | None = None


class Task(ApiStruct):
    """Task of a service."""

    SPEC: ClassVar[str] = "Task"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    labels: dict[str, str] = {}
    spec: TaskSpec = msgspec.field(default_factory=TaskSpec)
    service_id: str = msgspec.field(name="ServiceID", default="")
    slot: int = 0
    """Number of the replica, from 1; 0 for a task of a service that runs on every node."""
    node_id: str = msgspec.field(name="NodeID", default="")
    status: TaskStatus = msgspec.field(default_factory=TaskStatus)
    desired_state: str = ""

    @property
    def container_id(self) -> str:
        """The container's id on its node; empty before it is created."""
        return self.status.container_status.container_id if self.status.container_status is not None else ""
