"""The pod and container that a debug session enters."""

from __future__ import annotations

import re

from pyd_core.debug.pod.ladder import TargetUser
from pyd_core.errors import Conflict, NotFound, PydError
from pyd_core.kube.channels import run_command
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.cluster_client import ClusterClient
from pyd_core.kube.container_view import PodMember, default_container, members
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.subject import ClusterSubject, pods_query
from pyd_core.sanitise import safe

_IDS = re.compile(r"^(Uid|Gid):\s+(\d+)", re.MULTILINE)
_CAPABILITIES = re.compile(r"^CapPrm:\s+([0-9a-f]+)", re.MULTILINE)
DEFAULT_CAPABILITIES = 0xA80425FB
"""The capabilities of an ordinary container (containerd, `defaultUnixCaps`)."""


async def find_target(engine: ClusterClient, subject: ClusterSubject) -> PodMember:
    """Return the container that a target means; of a workload, one of its running pods.

    Raises:
        NotFound: There is none.
    """
    if not subject.kind:
        return await engine.feed.store.member(subject.name)
    namespace = engine.cluster.access.scope
    if not namespace:
        raise NotFound("a namespace is needed to find it", hint="write -H kube://CONTEXT/NAMESPACE")
    if subject.kind == "pod":
        path = object_path("pods", namespace=namespace, name=subject.name)
        pod = await engine.cluster.get(path, Pod)
    else:
        pod = await _pod_of_workload(engine.cluster, subject, namespace)
    return choose_container(pod, subject.container)


async def _pod_of_workload(api: ClusterApi, subject: ClusterSubject, namespace: str) -> Pod:
    pods, _ = await api.list(object_path("pods", namespace=namespace), Pod, await pods_query(api, subject))
    running = [pod for pod in pods if pod.status.phase == "Running" and not pod.metadata.deletion_timestamp]
    if not running:
        raise NotFound(
            f"{subject.kind} {safe(subject.name)} has no running pod", hint="see pyd triage", reference="no-running-pod"
        )
    # A pod that isn't ready is the one that its user wants to look at.
    return min(running, key=lambda pod: (_is_ready(pod), pod.metadata.name))


def _is_ready(pod: Pod) -> bool:
    condition = pod.condition("Ready")
    return condition is not None and condition.status == "True"


def choose_container(pod: Pod, name: str) -> PodMember:
    """Return a container of a pod; without a name, the one that kubectl would take.

    Raises:
        NotFound: The pod has no such container.
    """
    chosen = name or default_container(pod)
    for member in members(pod):
        if member.spec.name == chosen:
            return member
    names = ", ".join(safe(member.spec.name) for member in members(pod))
    raise NotFound(f"pod {pod.metadata.name} has no container {safe(chosen)}", hint=f"it has: {names}")


def require_running(member: PodMember) -> None:
    """Check that a container runs.

    Raises:
        Conflict: It doesn't, so that an ephemeral container would wait for it in vain.
    """
    status = member.status
    if status is None or status.state.running is None:
        raise Conflict(
            f"{member.name} doesn't run",
            hint="--copy debugs a copy of its pod, with the container held",
            reference="not-running",
        )


async def user_of(api: ClusterApi, member: PodMember) -> TargetUser:
    """Return the user of a container's main process: from its specification, else from the container itself."""
    context, pod_context = member.spec.security_context, member.pod.spec.security_context
    uid = context.run_as_user if context is not None else None
    gid = context.run_as_group if context is not None else None
    if pod_context is not None:
        uid = pod_context.run_as_user if uid is None else uid
        gid = pod_context.run_as_group if gid is None else gid
    changes = context.capabilities if context is not None else None
    added = bool(changes is not None and changes.add)
    privileged = bool(context is not None and context.privileged)
    if uid is None or gid is None:
        try:
            code, output, _, _ = await run_command(api, member, ["cat", "/proc/1/status"], max_output_bytes=65536)
        except PydError:  # no right to exec, or no cat: the ladder starts as for root
            code, output = None, b""
        if code == 0:
            status = output.decode(errors="replace")
            ids = {name: int(value) for name, value in _IDS.findall(status)}
            uid, gid = ids.get("Uid", uid), ids.get("Gid", gid)
            match = _CAPABILITIES.search(status)
            added = added or (match is not None and bool(int(match[1], 16) & ~DEFAULT_CAPABILITIES))
    return TargetUser(uid=uid, gid=gid if gid is not None else uid, privileged=privileged, added=added)


def runtime_id(member: PodMember) -> str:
    """Return a container's id in its runtime, by which its cgroup is named; empty where it isn't known."""
    identity = member.status.container_id.rpartition("://")[2] if member.status is not None else ""
    return identity if identity.isalnum() else ""
