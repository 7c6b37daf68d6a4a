"""Containers of a pod in the model that all providers share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from pyd_core.kube.model.pod import ContainerStatus, Pod, PodContainer, TerminatedState
from pyd_core.kube.quantity import parse_quantity
from pyd_core.model.base import parse_time
from pyd_core.model.container import (
    POD_CONTAINER,
    Container,
    ContainerSummary,
    MountPoint,
    NetworkSettings,
    Port,
    SummaryHostConfig,
)
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.container_state import ContainerState, Health, HealthResult
from pyd_core.model.host_config import HostConfig, PortBinding, RestartPolicy

POD_LABEL = "io.kubernetes.pod.name"
"""The kubelet's own labels of the containers that it creates."""
NAMESPACE_LABEL = "io.kubernetes.pod.namespace"
UID_LABEL = "io.kubernetes.pod.uid"

WORKLOAD_LABEL = "pyd.workload"
"""The workload that owns a pod, such as `deployment/web`."""
NODE_LABEL = "pyd.node"
ROLE_LABEL = "pyd.role"
"""`init`, `sidecar` or `ephemeral`; missing on ordinary containers."""
READY_LABEL = "pyd.ready"
QOS_LABEL = "pyd.qos"

LOOPING = "CrashLoopBackOff"
MAX_ERROR_LENGTH = 2000


class PodMember(msgspec.Struct, frozen=True):
    """A container of a pod."""

    pod: Pod
    spec: PodContainer
    role: str
    """`init`, `sidecar`, `ephemeral`, or empty."""
    qualified: bool = False
    """Whether its name has the namespace before it, where several are in sight."""

    @property
    def id(self) -> str:
        """The id that pyd gives it, which outlives its restarts."""
        return container_id(self.pod.metadata.uid or self.pod.key, self.spec.name)

    @property
    def status(self) -> ContainerStatus | None:
        """The status; None until its kubelet reports one."""
        return self.pod.status_of(self.spec.name)

    @property
    def name(self) -> str:
        """The pod's name, with the container's where the pod has several."""
        spec = self.pod.spec
        only = len(spec.containers) == 1 and not spec.init_containers and not spec.ephemeral_containers
        metadata = self.pod.metadata
        name = f"{metadata.namespace}/{metadata.name}" if self.qualified else metadata.name
        return name if only else f"{name}/{self.spec.name}"


@lru_cache(maxsize=65536)
def container_id(pod_uid: str, container: str) -> str:
    """Return the id of a container: 64 hexadecimal digits, the same for all its runs."""
    return hashlib.sha256(f"{pod_uid}/{container}".encode()).hexdigest()


def members(pod: Pod, *, qualified: bool = False) -> Iterator[PodMember]:
    """Yield the containers of a pod, the ordinary ones first; `qualified` puts the namespace before their names."""
    spec = pod.spec
    for container in spec.containers:
        yield PodMember(pod, container, "", qualified)
    for container in spec.init_containers:
        yield PodMember(pod, container, "sidecar" if container.restart_policy == "Always" else "init", qualified)
    for container in spec.ephemeral_containers:
        yield PodMember(pod, container, "ephemeral", qualified)


def summary_of(member: PodMember) -> ContainerSummary:
    """Return a container as an entry of the list, under all the names that reach it."""
    pod, spec = member.pod, member.spec
    state, exit_code, error = state_of(member)
    name = member.name
    aliases = [f"{pod.metadata.name}/{spec.name}"]
    if spec.name == default_container(pod):
        aliases.append(pod.metadata.name)
    names = list(dict.fromkeys([name, *aliases, *(f"{pod.metadata.namespace}/{alias}" for alias in aliases)]))
    return ContainerSummary(
        id=member.id,
        names=[f"/{alias}" for alias in names],
        image=spec.image,
        image_id=member.status.image_id if member.status is not None else "",
        command=" ".join([*spec.command, *spec.args]),
        created=(pod.metadata.created_ns or 0) // 10**9,
        ports=[
            Port(private_port=port.container_port, type=port.protocol.lower(), public_port=port.host_port or None)
            for port in spec.ports
        ],
        labels=labels_of(member),
        state=state,
        status=_status_text(member, state, exit_code, error),
        host_config=SummaryHostConfig(network_mode="host" if pod.spec.host_network else pod.metadata.namespace),
    )


def labels_of(member: PodMember) -> dict[str, str]:
    """Return the pod's labels, those of the kubelet, and the pod's facts that have no field in the shared model."""
    pod = member.pod
    status = member.status
    extra = {
        POD_LABEL: pod.metadata.name,
        NAMESPACE_LABEL: pod.metadata.namespace,
        UID_LABEL: pod.metadata.uid,
        POD_CONTAINER: member.spec.name,
        WORKLOAD_LABEL: workload_of(pod),
        NODE_LABEL: pod.spec.node_name,
        ROLE_LABEL: member.role,
        READY_LABEL: "true" if status is not None and status.ready else "false",
        QOS_LABEL: pod.status.qos_class,
    }
    return pod.metadata.labels | {name: value for name, value in extra.items() if value}


def workload_of(pod: Pod) -> str:
    """Return the workload that a pod belongs to, such as `deployment/web`; its own name where it has none."""
    owner = pod.metadata.owner
    if owner is None:
        return f"pod/{pod.metadata.name}"
    template = pod.metadata.labels.get("pod-template-hash", "")
    if owner.kind == "ReplicaSet" and template and owner.name.endswith(f"-{template}"):
        return f"deployment/{owner.name.removesuffix(f'-{template}')}"
    return f"{owner.kind.lower()}/{owner.name}"


def default_container(pod: Pod) -> str:
    """Return the container that a pod's bare name means, as in kubectl."""
    names = [container.name for container in pod.spec.containers]
    preferred = pod.metadata.annotations.default_container
    return preferred if preferred in names else names[0] if names else ""


def state_of(member: PodMember) -> tuple[str, int | None, str]:
    """Return a container's state in the shared model, the exit code of its last run, and why it doesn't run."""
    pod, status = member.pod, member.status
    pod_error = _pod_error(pod)
    if status is None:
        return "created", None, pod_error
    state = status.state
    last = status.last_state.terminated
    if state.running is not None:
        return "running", None, ""
    if state.terminated is not None:
        return "exited", state.terminated.exit_code, pod_error or _start_error(state.terminated)
    waiting = state.waiting
    error = ""
    if waiting is not None and waiting.reason not in {"", "ContainerCreating", "PodInitializing"}:
        error = f"{waiting.reason}: {waiting.message}" if waiting.message else waiting.reason
    error = pod_error or error
    if last is not None or (waiting is not None and waiting.reason == LOOPING):
        return "restarting", None if last is None else last.exit_code, (last and _start_error(last)) or error
    return "created", None, error[:MAX_ERROR_LENGTH]


def last_run(status: ContainerStatus | None) -> TerminatedState | None:
    """Return the end of a container's last run."""
    if status is None:
        return None
    return status.state.terminated or status.last_state.terminated


def health_of(member: PodMember) -> str:
    """Return `healthy`, `starting` or `unhealthy` by a running container's probes; empty where it has none."""
    status, spec = member.status, member.spec
    if status is None or status.state.running is None or not (spec.readiness_probe or spec.startup_probe):
        return ""
    if status.ready:
        return "healthy"
    return "starting" if status.started is False else "unhealthy"


def container_of(member: PodMember, *, probe_output: str = "") -> Container:
    """Return a container's full data in the shared model.

    Args:
        member: The container.
        probe_output: The result of its last failed probe, which only events have.
    """
    pod, spec, status = member.pod, member.spec, member.status
    state, exit_code, error = state_of(member)
    run = status.state.running if status is not None else None
    end = last_run(status)
    health = health_of(member)
    failures = [HealthResult(exit_code=1, output=probe_output)] if probe_output and health == "unhealthy" else []
    started = run.started_at if run is not None else end.started_at if end is not None else None
    context = spec.security_context
    pod_context = pod.spec.security_context
    user = context.run_as_user if context is not None else None
    if user is None and pod_context is not None:
        user = pod_context.run_as_user
    limits = spec.resources.limits
    cpu, memory = parse_quantity(limits.get("cpu")), parse_quantity(limits.get("memory"))
    capabilities = context.capabilities if context is not None else None
    return Container(
        id=member.id,
        created=pod.metadata.creation_timestamp or "",
        path=(spec.command or spec.args or [""])[0],
        args=[*spec.command, *spec.args][1:],
        state=ContainerState(
            status=state,
            running=state == "running",
            restarting=state == "restarting",
            oom_killed=end is not None and end.reason == "OOMKilled",
            exit_code=exit_code if exit_code is not None else 0,
            error=error,
            started_at=_ran(started),
            finished_at=_ran(end.finished_at) if end is not None and run is None else "",
            health=Health(status=health, failing_streak=len(failures), log=failures) if health else None,
        ),
        image=status.image_id if status is not None else "",
        name_=f"/{member.name}",
        restart_count=status.restart_count if status is not None else 0,
        platform="linux",
        host_config=HostConfig(
            memory=int(memory) if memory else 0,
            nano_cpus=int(cpu * 1e9) if cpu else 0,
            restart_policy=RestartPolicy(name=_RESTART_POLICIES.get(pod.spec.restart_policy, "")),
            privileged=bool(context and context.privileged),
            readonly_rootfs=bool(context and context.read_only_root_filesystem),
            cap_add=[*capabilities.add] if capabilities is not None else [],
            cap_drop=[*capabilities.drop] if capabilities is not None else [],
            network_mode="host" if pod.spec.host_network else "",
        ),
        mounts=[*_mounts(member)],
        config=ContainerConfig(
            hostname=pod.metadata.name,
            user="" if user is None else str(user),
            tty=spec.tty,
            open_stdin=spec.stdin,
            stdin_once=spec.stdin_once,
            env=[f"{entry.name}={entry.value}" for entry in spec.env if entry.value_from is None],
            entrypoint=[*spec.command] or None,
            cmd=[*spec.args] or None,
            image=spec.image,
            working_dir=spec.working_dir,
            labels=labels_of(member),
            exposed_ports={f"{port.container_port}/{port.protocol.lower()}": {} for port in spec.ports},
        ),
        network_settings=NetworkSettings(
            ip_address=pod.status.pod_ip,
            ports={
                f"{port.container_port}/{port.protocol.lower()}": [
                    PortBinding(host_ip=port.host_ip, host_port=str(port.host_port))
                ]
                if port.host_port
                else None
                for port in spec.ports
            },
        ),
    )


def _ran(time: str | None) -> str:
    """Return a time of a run; containers that couldn't be started have the epoch instead."""
    return "" if time is None or time.startswith("1970-01-01T00:00:00") else time


_RESTART_POLICIES = {"Always": "always", "OnFailure": "on-failure", "Never": "no"}


def _pod_error(pod: Pod) -> str:
    """Return why the pod as such doesn't run."""
    if pod.status.reason:
        return f"{pod.status.reason}: {pod.status.message}".removesuffix(": ")[:MAX_ERROR_LENGTH]
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return f"{scheduled.reason}: {scheduled.message}"[:MAX_ERROR_LENGTH]
    return ""


def _start_error(end: TerminatedState) -> str:
    """Return the runtime's error where a container's program couldn't be started."""
    return end.message[:MAX_ERROR_LENGTH] if end.reason in {"StartError", "ContainerCannotRun"} else ""


def _status_text(member: PodMember, state: str, exit_code: int | None, error: str) -> str:
    """Return the text for people, in Docker's form where the list reads it."""
    pod, status = member.pod, member.status
    reason = error.partition(":")[0]
    leaving = ", terminating" if pod.metadata.deletion_timestamp else ""
    if state == "running":
        health = health_of(member)
        mark = f" ({'health: starting' if health == 'starting' else health})" if health else ""
        return f"Up{mark}{leaving}"
    if state == "exited":
        end = last_run(status)
        why = reason or (end.reason if end is not None else "")
        return f"Exited ({exit_code}) {why}{leaving}".strip()
    if state == "restarting":
        return f"Restarting ({exit_code if exit_code is not None else 0}) {reason}{leaving}".strip()
    waiting = status.state.waiting.reason if status is not None and status.state.waiting is not None else ""
    return f"{reason or waiting or 'Pending'}{leaving}"


def _mounts(member: PodMember) -> Iterator[MountPoint]:
    sources = {volume.name: volume.source for volume in member.pod.spec.volumes}
    for mount in member.spec.volume_mounts:
        yield MountPoint(
            type="volume",
            name=mount.name,
            source=sources.get(mount.name, ""),
            destination=mount.mount_path,
            rw=not mount.read_only,
        )


def age_key(pod: Pod) -> int:
    """Return the key that sorts the newest pods first."""
    return -(parse_time(pod.metadata.creation_timestamp or "") or 0)
