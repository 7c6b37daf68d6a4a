"""Services of a swarm, and the specifications of their tasks."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class ObjectVersion(ApiStruct):
    """Version of a swarm object; an update names the version that it is based on."""

    SPEC: ClassVar[str] = "ObjectVersion"

    index: int = 0


class ServicePort(ApiStruct):
    """Port of a service."""

    SPEC: ClassVar[str] = "EndpointPortConfig"

    name: str = ""
    protocol: str = "tcp"
    target_port: int = 0
    published_port: int = 0
    publish_mode: str = "ingress"
    """`ingress`: on every node; `host`: on those where a task runs."""


class EndpointSpec(ApiStruct):
    """Requested addressing of a service."""

    SPEC: ClassVar[str] = "EndpointSpec"

    mode: str = "vip"
    ports: list[ServicePort] = []


class VirtualIp(ApiStruct):
    """Address of a service on a network."""

    SPEC: ClassVar[str] = "Service.Endpoint.VirtualIPs[]"

    network_id: str = msgspec.field(name="NetworkID", default="")
    addr: str = ""


class ServiceEndpoint(ApiStruct):
    """Current ports and addresses of a service."""

    SPEC: ClassVar[str] = "Service.Endpoint"

    ports: list[ServicePort] = []
    virtual_ips: list[VirtualIp] = msgspec.field(name="VirtualIPs", default=[])


class Replicated(ApiStruct):
    """Fixed number of tasks, on any nodes."""

    SPEC: ClassVar[str] = "ServiceSpec.Mode.Replicated"

    replicas: int | None = None


class ReplicatedJob(ApiStruct):
    """Fixed number of tasks that run to completion."""

    SPEC: ClassVar[str] = "ServiceSpec.Mode.ReplicatedJob"

    max_concurrent: int = 1
    total_completions: int | None = None


class ServiceMode(ApiStruct):
    """Number of tasks; exactly one field is set."""

    SPEC: ClassVar[str] = "ServiceSpec.Mode"

    replicated: Replicated | None = None
    global_: dict[str, Any] | None = msgspec.field(name="Global", default=None)
    """One task per node."""
    replicated_job: ReplicatedJob | None = None
    global_job: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name of the mode in the docker CLI."""
        if self.global_ is not None:
            return "global"
        if self.replicated_job is not None:
            return "replicated job"
        return "global job" if self.global_job is not None else "replicated"


class SecretUse(ApiStruct):
    """Secret that a task uses."""

    SPEC: ClassVar[str] = "TaskSpec.ContainerSpec.Secrets[]"

    secret_id: str = msgspec.field(name="SecretID", default="")
    secret_name: str = ""


class ConfigUse(ApiStruct):
    """Config that a task uses."""

    SPEC: ClassVar[str] = "TaskSpec.ContainerSpec.Configs[]"

    config_id: str = msgspec.field(name="ConfigID", default="")
    config_name: str = ""


class ServiceMount(ApiStruct):
    """Mount in each task."""

    SPEC: ClassVar[str] = "Mount"

    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False


class ContainerSpec(ApiStruct):
    """Container of a task."""

    SPEC: ClassVar[str] = "TaskSpec.ContainerSpec"

    image: str = ""
    """Includes the digest that the tag referred to when the service was created."""
    labels: dict[str, str] = {}
    command: list[str] = []
    args: list[str] = []
    env: list[str] = []
    dir: str = ""
    user: str = ""
    hostname: str = ""
    mounts: list[ServiceMount] = []
    secrets: list[SecretUse] = []
    configs: list[ConfigUse] = []


class ResourceLimit(ApiStruct):
    """Maximum resources of a task."""

    SPEC: ClassVar[str] = "Limit"

    nano_cpus: int = msgspec.field(name="NanoCPUs", default=0)
    memory_bytes: int = 0
    pids: int = 0


class ResourceObject(ApiStruct):
    """Resources of a node, or reserved for a task."""

    SPEC: ClassVar[str] = "ResourceObject"

    nano_cpus: int = msgspec.field(name="NanoCPUs", default=0)
    memory_bytes: int = 0


class TaskResources(ApiStruct):
    """Limits and reservations of a task."""

    SPEC: ClassVar[str] = "TaskSpec.Resources"

    limits: ResourceLimit = msgspec.field(default_factory=ResourceLimit)
    reservations: ResourceObject = msgspec.field(default_factory=ResourceObject)


class TaskRestartPolicy(ApiStruct):
    """Restart policy for tasks that end."""

    SPEC: ClassVar[str] = "TaskSpec.RestartPolicy"

    condition: str = ""
    """`none`, `on-failure` or `any`; empty is `any`."""
    delay: int = 0
    """Nanoseconds."""
    max_attempts: int = 0


class Placement(ApiStruct):
    """Constraints on the nodes that may run tasks."""

    SPEC: ClassVar[str] = "TaskSpec.Placement"

    constraints: list[str] = []
    max_replicas: int = 0


class NetworkAttachment(ApiStruct):
    """Network of a task."""

    SPEC: ClassVar[str] = "NetworkAttachmentConfig"

    target: str = ""
    aliases: list[str] = []


class TaskSpec(ApiStruct):
    """Specification of a service's tasks."""

    SPEC: ClassVar[str] = "TaskSpec"

    container_spec: ContainerSpec = msgspec.field(default_factory=ContainerSpec)
    resources: TaskResources = msgspec.field(default_factory=TaskResources)
    restart_policy: TaskRestartPolicy = msgspec.field(default_factory=TaskRestartPolicy)
    placement: Placement = msgspec.field(default_factory=Placement)
    networks: list[NetworkAttachment] = []
    force_update: int = 0


class ServiceSpec(ApiStruct):
    """Requested settings of a service."""

    SPEC: ClassVar[str] = "ServiceSpec"

    name: str = ""
    labels: dict[str, str] = {}
    task_template: TaskSpec = msgspec.field(default_factory=TaskSpec)
    mode: ServiceMode = msgspec.field(default_factory=ServiceMode)
    endpoint_spec: EndpointSpec = msgspec.field(default_factory=EndpointSpec)
    networks: list[NetworkAttachment] = []


class ServiceStatus(ApiStruct):
    """Number of running and of desired tasks; only in lists, and only on request."""

    SPEC: ClassVar[str] = "Service.ServiceStatus"

    running_tasks: int = 0
    desired_tasks: int = 0
    completed_tasks: int = 0


class UpdateStatus(ApiStruct):
    """Progress of the last update."""

    SPEC: ClassVar[str] = "Service.UpdateStatus"

    state: str = ""
    """`updating`, `paused`, `completed`, `rollback_started` and the like."""
    started_at: str = ""
    completed_at: str = ""
    message: str = ""


class Service(ApiStruct):
    """Service of a swarm."""

    SPEC: ClassVar[str] = "Service"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    endpoint: ServiceEndpoint = msgspec.field(default_factory=ServiceEndpoint)
    update_status: UpdateStatus | None = None
    service_status: ServiceStatus | None = None

    @property
    def stack(self) -> str:
        """The stack that it belongs to; empty without one."""
        return self.spec.labels.get(STACK, "")


STACK = "com.docker.stack.namespace"
"""Label that `docker stack` groups objects by."""


class ServiceCreated(ApiStruct):
    """Response to creating a service."""

    SPEC: ClassVar[str] = "ServiceCreateResponse"

    id: str = msgspec.field(name="ID", default="")
    warnings: list[str] = []


class ServiceUpdated(ApiStruct):
    """Response to updating a service."""

    SPEC: ClassVar[str] = "ServiceUpdateResponse"

    warnings: list[str] = []
