"""Copies of pods whose containers are held, and pods on nodes; both are removed at the end of the session."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from pyd_core.debug.pod.ephemeral import FAILED_STATES
from pyd_core.debug.pod.keeper import keeper_command
from pyd_core.errors import EngineUnavailable, NotFound, Unsupported
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.container_view import PodMember, members
from pyd_core.kube.model.pod import Pod
from pyd_core.model.base import decode
from pyd_core.sanitise import safe

START_TIMEOUT_S = 120.0
LABEL = "pyd.debug"
PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


def copy_of(document: dict[str, Any], container: str, *, ttl_s: int, name: str) -> dict[str, Any]:
    """Return a copy of a pod with one container held: no labels, probes, hooks or host ports, no restarts.

    Args:
        document: The pod as the API server has it.
        container: The container whose command is replaced.
        ttl_s: Seconds after which the cluster ends the copy, even if this process is gone.
        name: The copy's name.
    """
    spec = msgspec.json.decode(msgspec.json.encode(document["spec"]))
    for field in ("nodeName", "ephemeralContainers", "hostname", "subdomain"):
        spec.pop(field, None)
    spec |= {"restartPolicy": "Never", "activeDeadlineSeconds": ttl_s}
    for entry in spec["containers"]:
        for field in PROBES:
            entry.pop(field, None)
        for port in entry.get("ports", []):
            port.pop("hostPort", None)
        if entry["name"] == container:
            entry["command"] = keeper_command(ttl_s)
            entry.pop("args", None)
    metadata = {"name": name, "namespace": document["metadata"]["namespace"], "labels": {LABEL: "copy"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def node_pod(node: str, image: str, *, namespace: str, ttl_s: int, name: str, privileged: bool) -> dict[str, Any]:
    """Return a pod on a node with the node's namespaces, and its files at `/host`."""
    container: dict[str, Any] = {
        "name": "debug",
        "image": image,
        "command": keeper_command(ttl_s),
        "volumeMounts": [{"name": "host", "mountPath": "/host"}],
    }
    if privileged:
        container["securityContext"] = {"privileged": True}
    spec = {
        "nodeName": node,
        "hostPID": True,
        "hostNetwork": True,
        "hostIPC": True,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": ttl_s,
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
    }
    metadata = {"name": name, "namespace": namespace, "labels": {LABEL: "node"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def copy_name(name: str) -> str:
    """Return a name for a copy, within the length that pods may have."""
    return f"{name[:50].rstrip('-.')}-pyd-{secrets.token_hex(3)}"


@asynccontextmanager
async def temporary_pod(api: ClusterApi, document: dict[str, Any], container: str) -> AsyncIterator[PodMember]:
    """Create a pod, yield one of its containers once it runs, and delete the pod at the end.

    Raises:
        PydError: It isn't admitted, or doesn't start; nothing is left of it.
    """
    namespace = document["metadata"]["namespace"]
    answer = await api.send("POST", object_path("pods", namespace=namespace), body=document)
    pod = decode(answer.body, Pod, what="pod")
    try:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                member = await _until_running(api, pod, container)
        except TimeoutError as error:
            raise EngineUnavailable(
                f"pod {pod.metadata.name} did not start within {START_TIMEOUT_S:g} s", hint="see pyd events"
            ) from error
        yield member
    finally:
        await asyncio.shield(_delete(api, pod))


async def _until_running(api: ClusterApi, pod: Pod, container: str) -> PodMember:
    path = object_path("pods", namespace=pod.metadata.namespace)
    selector = {"fieldSelector": f"metadata.name={pod.metadata.name}"}
    while True:
        if (member := _check(pod, container)) is not None:
            return member
        async for event in api.watch(path, pod.metadata.resource_version, selector):
            if event.type == "BOOKMARK":
                continue
            pod = decode(bytes(event.object), Pod, what="watch")
            if event.type == "DELETED":
                raise Unsupported(f"pod {pod.metadata.name} was deleted meanwhile", reference="pod-gone")
            if (member := _check(pod, container)) is not None:
                return member


def _check(pod: Pod, container: str) -> PodMember | None:
    for member in members(pod):
        status = member.status
        if status is None:
            continue
        waiting = status.state.waiting
        if waiting is not None and waiting.reason in FAILED_STATES:
            raise Unsupported(
                f"{member.name} can't start: {safe(waiting.reason)}: {safe(' '.join(waiting.message.split()))[:300]}",
                reference="debug-image",
            )
        if member.spec.name == container and status.state.running is not None:
            return member
        if member.spec.name == container and status.state.terminated is not None:
            raise Unsupported(f"{member.name} ended at once", hint="its image needs sh", reference="debug-image")
    return None


async def _delete(api: ClusterApi, pod: Pod) -> None:
    path = object_path("pods", namespace=pod.metadata.namespace, name=pod.metadata.name)
    body = {"preconditions": {"uid": pod.metadata.uid}, "gracePeriodSeconds": 0}
    try:
        await api.send("DELETE", path, body=body)
    except NotFound:
        return
