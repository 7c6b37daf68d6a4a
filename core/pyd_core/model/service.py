"""Services of a swarm, and what their tasks are made from."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class ObjectVersion(ApiStruct):
    """Which edition of a swarm object this is; changing it names the edition that was read."""

    SPEC: ClassVar[str] = "ObjectVersion"

    index: int = 0


class ServicePort(ApiStruct):
    """A port of a service."""

    SPEC: ClassVar[str] = "EndpointPortConfig"

    name: str = ""
    protocol: str = "tcp"
    target_port: int = 0
    published_port: int = 0
    publish_mode: str = "ingress"
    """`ingress`: on every node; `host`: on those where a task runs."""


class EndpointSpec(ApiStruct):
    """How a service is reached."""

    SPEC: ClassVar[str] = "EndpointSpec"

    mode: str = "vip"
    ports: list[ServicePort] = []


class VirtualIp(ApiStruct):
    """A service's address on one network."""

    SPEC: ClassVar[str] = "Service.Endpoint.VirtualIPs[]"

    network_id: str = msgspec.field(name="NetworkID", default="")
    addr: str = ""


class ServiceEndpoint(ApiStruct):
    """How a service is reached now."""

    SPEC: ClassVar[str] = "Service.Endpoint"

    ports: list[ServicePort] = []
    virtual_ips: list[VirtualIp] = msgspec.field(name="VirtualIPs", default=[])


class Replicated(ApiStruct):
    """So many tasks, wherever there is room."""

    SPEC: ClassVar[str] = "ServiceSpec.Mode.Replicated"

    replicas: int | None = None


class ReplicatedJob(ApiStruct):
    """So many tasks that end."""

    SPEC: ClassVar[str] = "ServiceSpec.Mode.ReplicatedJob"

    max_concurrent: int = 1
    total_completions: int | None = None


class ServiceMode(ApiStruct):
    """How many tasks a service has; exactly one of these is there."""

    SPEC: ClassVar[str] = "ServiceSpec.Mode"

    replicated: Replicated | None = None
    global_: dict[str, Any] | None = msgspec.field(name="Global", default=None)
    """One task a node."""
    replicated_job: ReplicatedJob | None = None
    global_job: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """In words, as the docker CLI has them."""
        if self.global_ is not None:
            return "global"
        if self.replicated_job is not None:
            return "replicated job"
        return "global job" if self.global_job is not None else "replicated"


class SecretUse(ApiStruct):
    """A secret that a task is given."""

    SPEC: ClassVar[str] = "TaskSpec.ContainerSpec.Secrets[]"

    secret_id: str = msgspec.field(name="SecretID", default="")
    secret_name: str = ""


class ConfigUse(ApiStruct):
    """A config that a task is given."""

    SPEC: ClassVar[str] = "TaskSpec.ContainerSpec.Configs[]"

    config_id: str = msgspec.field(name="ConfigID", default="")
    config_name: str = ""


class ServiceMount(ApiStruct):
    """Something mounted in each task."""

    SPEC: ClassVar[str] = "Mount"

    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False


class ContainerSpec(ApiStruct):
    """The container that a task runs."""

    SPEC: ClassVar[str] = "TaskSpec.ContainerSpec"

    image: str = ""
    """With the digest that its tag stood for when the service was made."""
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
    """What a task may use at most."""

    SPEC: ClassVar[str] = "Limit"

    nano_cpus: int = msgspec.field(name="NanoCPUs", default=0)
    memory_bytes: int = 0
    pids: int = 0


class ResourceObject(ApiStruct):
    """What a node has, or a task is promised."""

    SPEC: ClassVar[str] = "ResourceObject"

    nano_cpus: int = msgspec.field(name="NanoCPUs", default=0)
    memory_bytes: int = 0


class TaskResources(ApiStruct):
    """What a task may use, and what it is promised."""

    SPEC: ClassVar[str] = "TaskSpec.Resources"

    limits: ResourceLimit = msgspec.field(default_factory=ResourceLimit)
    reservations: ResourceObject = msgspec.field(default_factory=ResourceObject)


class TaskRestartPolicy(ApiStruct):
    """What is done about a task that ends."""

    SPEC: ClassVar[str] = "TaskSpec.RestartPolicy"

    condition: str = ""
    """`none`, `on-failure` or `any`; empty is `any`."""
    delay: int = 0
    """Nanoseconds."""
    max_attempts: int = 0


class Placement(ApiStruct):
    """Where tasks may run."""

    SPEC: ClassVar[str] = "TaskSpec.Placement"

    constraints: list[str] = []
    max_replicas: int = 0


class NetworkAttachment(ApiStruct):
    """A network that a task joins."""

    SPEC: ClassVar[str] = "NetworkAttachmentConfig"

    target: str = ""
    aliases: list[str] = []


class TaskSpec(ApiStruct):
    """What each task of a service is."""

    SPEC: ClassVar[str] = "TaskSpec"

    container_spec: ContainerSpec = msgspec.field(default_factory=ContainerSpec)
    resources: TaskResources = msgspec.field(default_factory=TaskResources)
    restart_policy: TaskRestartPolicy = msgspec.field(default_factory=TaskRestartPolicy)
    placement: Placement = msgspec.field(default_factory=Placement)
    networks: list[NetworkAttachment] = []
    force_update: int = 0


class ServiceSpec(ApiStruct):
    """What a service shall be."""

    SPEC: ClassVar[str] = "ServiceSpec"

    name: str = ""
    labels: dict[str, str] = {}
    task_template: TaskSpec = msgspec.field(default_factory=TaskSpec)
    mode: ServiceMode = msgspec.field(default_factory=ServiceMode)
    endpoint_spec: EndpointSpec = msgspec.field(default_factory=EndpointSpec)
    networks: list[NetworkAttachment] = []


class ServiceStatus(ApiStruct):
    """How many tasks run, and how many should; in lists only, and only when asked for."""

    SPEC: ClassVar[str] = "Service.ServiceStatus"

    running_tasks: int = 0
    desired_tasks: int = 0
    completed_tasks: int = 0


class UpdateStatus(ApiStruct):
    """How the last change is going."""

    SPEC: ClassVar[str] = "Service.UpdateStatus"

    state: str = ""
    """`updating`, `paused`, `completed`, `rollback_started` and the like."""
    started_at: str = ""
    completed_at: str = ""
    message: str = ""


class Service(ApiStruct):
    """A service."""

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
        """The stack it was deployed with; empty without one."""
        return self.spec.labels.get(STACK, "")


STACK = "com.docker.stack.namespace"
"""The label by which `docker stack` knows what belongs together."""


class ServiceCreated(ApiStruct):
    """The answer to making a service."""

    SPEC: ClassVar[str] = "ServiceCreateResponse"

    id: str = msgspec.field(name="ID", default="")
    warnings: list[str] = []


class ServiceUpdated(ApiStruct):
    """The answer to changing one."""

    SPEC: ClassVar[str] = "ServiceUpdateResponse"

    warnings: list[str] = []
