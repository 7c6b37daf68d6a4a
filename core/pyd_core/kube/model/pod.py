"""Pods and the containers in them."""

from __future__ import annotations

import msgspec

from pyd_core.kube.model.meta import ClusterStruct, Condition, ObjectMeta
from pyd_core.model.base import parse_time


class PartSource(ClusterStruct):
    """Part of a pod of which only its presence and its name count; of 5,000 pods the rest would take 30 MB."""

    name: str = ""
    claim_name: str = ""
    secret_name: str = ""
    path: str = ""


class PodResources(ClusterStruct):
    """Requests and limits, as quantities: `100m`, `64Mi`."""

    requests: dict[str, str | int | float] = {}
    limits: dict[str, str | int | float] = {}


class PodPort(ClusterStruct):
    """Port of a container."""

    container_port: int = 0
    protocol: str = "TCP"
    name: str = ""
    host_port: int = 0
    host_ip: str = msgspec.field(name="hostIP", default="")


class EnvironmentEntry(ClusterStruct):
    """Variable of a container. Values from secrets are never resolved."""

    name: str = ""
    value: str = ""
    value_from: PartSource | None = None


class CapabilityChange(ClusterStruct):
    """Capabilities that a security context adds and drops."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class SecurityContext(ClusterStruct):
    """Security settings of a pod or container."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    read_only_root_filesystem: bool | None = None
    capabilities: CapabilityChange | None = None


class VolumeMount(ClusterStruct):
    """Mount of a pod's volume in a container."""

    name: str = ""
    mount_path: str = ""
    read_only: bool = False
    sub_path: str = ""


class Probe(ClusterStruct):
    """Health check by the kubelet."""

    http_get: PartSource | None = None
    tcp_socket: PartSource | None = None
    grpc: PartSource | None = None
    exec: PartSource | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    failure_threshold: int = 3


class PodContainer(ClusterStruct):
    """Container of a pod's specification."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[PodPort, ...] = ()
    env: tuple[EnvironmentEntry, ...] = ()
    resources: PodResources = PodResources()
    volume_mounts: tuple[VolumeMount, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    security_context: SecurityContext | None = None
    restart_policy: str = ""
    """`Always` makes an init container a sidecar."""
    target_container_name: str = ""
    """Of an ephemeral container: the container whose processes it sees."""
    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False


class WaitingState(ClusterStruct):
    """State of a container that waits for its start."""

    reason: str = ""
    message: str = ""


class RunningState(ClusterStruct):
    """State of a container that runs."""

    started_at: str | None = None


class TerminatedState(ClusterStruct):
    """End of a container's run."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    container_id: str = msgspec.field(name="containerID", default="")


class PodContainerState(ClusterStruct):
    """State of a container: at most one of its fields is set."""

    waiting: WaitingState | None = None
    running: RunningState | None = None
    terminated: TerminatedState | None = None


class ContainerStatus(ClusterStruct):
    """Status of a container, as its kubelet reports it."""

    name: str = ""
    state: PodContainerState = PodContainerState()
    last_state: PodContainerState = PodContainerState()
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(name="imageID", default="")
    container_id: str = msgspec.field(name="containerID", default="")
    """`containerd://…`; empty before its first run."""


class PodVolume(ClusterStruct):
    """Volume of a pod; only sources that pyd shows."""

    name: str = ""
    persistent_volume_claim: PartSource | None = None
    config_map: PartSource | None = None
    secret: PartSource | None = None
    empty_dir: PartSource | None = None
    host_path: PartSource | None = None
    projected: PartSource | None = None

    @property
    def source(self) -> str:
        """The kind and name of its source, such as `configMap/settings`."""
        if self.persistent_volume_claim is not None:
            return f"pvc/{self.persistent_volume_claim.claim_name}"
        if self.config_map is not None:
            return f"configMap/{self.config_map.name}"
        if self.secret is not None:
            return f"secret/{self.secret.secret_name}"
        if self.host_path is not None:
            return f"hostPath {self.host_path.path}"
        if self.empty_dir is not None:
            return "emptyDir"
        return "projected" if self.projected is not None else "other"


class PodSpec(ClusterStruct):
    """Specification of a pod."""

    containers: tuple[PodContainer, ...] = ()
    init_containers: tuple[PodContainer, ...] = ()
    ephemeral_containers: tuple[PodContainer, ...] = ()
    volumes: tuple[PodVolume, ...] = ()
    node_name: str = ""
    restart_policy: str = "Always"
    host_network: bool = False
    host_pid: bool = msgspec.field(name="hostPID", default=False)
    share_process_namespace: bool | None = None
    security_context: SecurityContext | None = None
    service_account_name: str = ""
    termination_grace_period_seconds: int | None = None
    priority_class_name: str = ""
    runtime_class_name: str = ""


class PodStatus(ClusterStruct):
    """Status of a pod."""

    phase: str = ""
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`."""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    ephemeral_container_statuses: tuple[ContainerStatus, ...] = ()
    start_time: str | None = None
    pod_ip: str = msgspec.field(name="podIP", default="")
    host_ip: str = msgspec.field(name="hostIP", default="")
    qos_class: str = ""


class Pod(ClusterStruct):
    """Pod, with the parts that pyd reads."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def key(self) -> str:
        """Namespace and name."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def started_ns(self) -> int | None:
        """The time at which its kubelet accepted it, nanoseconds since the epoch."""
        return parse_time(self.status.start_time or "")

    def condition(self, kind: str) -> Condition | None:
        """Return a condition by its type."""
        return next((condition for condition in self.status.conditions if condition.type == kind), None)

    def status_of(self, container: str) -> ContainerStatus | None:
        """Return the status of a container; its kubelet sorts them by name, not as the specification does."""
        status = self.status
        for statuses in (
            status.container_statuses,
            status.init_container_statuses,
            status.ephemeral_container_statuses,
        ):
            for entry in statuses:
                if entry.name == container:
                    return entry
        return None
