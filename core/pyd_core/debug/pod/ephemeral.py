"""Ephemeral containers: adding one to a pod, waiting until it runs, and using one again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from pyd_core.debug.pod.keeper import keeper_command
from pyd_core.debug.pod.ladder import Rung
from pyd_core.errors import EngineUnavailable, PydError, Refused, Unsupported
from pyd_core.kube.cluster_api import STRATEGIC_PATCH, ClusterApi, object_path
from pyd_core.kube.container_view import PodMember, members
from pyd_core.kube.failures import ListExpired
from pyd_core.kube.model.pod import Pod
from pyd_core.model.base import decode
from pyd_core.sanitise import safe

PREFIX = "pyd-"
START_TIMEOUT_S = 120.0
"""Seconds for the image's pull and the start."""
FAILED_STATES = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"}
    | {"CreateContainerError", "RunContainerError"}
)
_KEY = "PYD_DEBUG"


def is_admission(error: PydError) -> bool:
    """Return whether Pod Security, or another admission controller, refused the settings, and not a missing right."""
    return "violates PodSecurity" in error.message or "admission webhook" in error.message


def key_of(member: PodMember, rung: Rung, image: str) -> str:
    """Return the mark by which an ephemeral container for the same target and settings is recognised."""
    return f"{member.spec.name}/{rung.name}/{image}"


def running_one(member: PodMember, rung: Rung, image: str) -> PodMember | None:
    """Return an ephemeral container of an earlier session that still runs, if it fits."""
    for other in members(member.pod):
        fits = any(entry.name == _KEY and entry.value == key_of(member, rung, image) for entry in other.spec.env)
        if other.role == "ephemeral" and other.spec.name.startswith(PREFIX) and fits:
            status = other.status
            if status is not None and status.state.running is not None:
                return other
    return None


def patch_of(member: PodMember, rung: Rung, image: str, *, ttl_s: int, name: str) -> dict[str, Any]:
    """Return the patch that adds an ephemeral container after those that are there.

    A strategic merge without `$setElementOrder` would put it first.
    """
    container = {
        "name": name,
        "image": image,
        "command": keeper_command(ttl_s),
        "env": [{"name": _KEY, "value": key_of(member, rung, image)}],
        "targetContainerName": member.spec.name,
        "terminationMessagePolicy": "File",
        "securityContext": rung.context,
    }
    order = [{"name": other.name} for other in member.pod.spec.ephemeral_containers]
    return {
        "spec": {
            "$setElementOrder/ephemeralContainers": [*order, {"name": name}],
            "ephemeralContainers": [container],
        }
    }


async def add_ephemeral(
    api: ClusterApi,
    member: PodMember,
    rungs: list[Rung],
    image: str,
    *,
    ttl_s: int,
    notify: Callable[[str], None] = lambda _: None,
) -> tuple[PodMember, Rung]:
    """Add an ephemeral container by the first rung that is admitted, or use a running one again, and wait for it.

    Args:
        api: The API server.
        member: The target.
        rungs: The settings to try, in order.
        image: The debug container's image.
        ttl_s: Seconds after which it ends without a session.
        notify: Called with lines on refused rungs.

    Raises:
        Refused: None is admitted, or the user may not add one.
        PydError: It doesn't start.
    """
    metadata = member.pod.metadata
    path = f"{object_path('pods', namespace=metadata.namespace, name=metadata.name)}/ephemeralcontainers"
    refusals: list[PydError] = []
    for rung in rungs:
        if (running := running_one(member, rung, image)) is not None:
            return running, rung
        name = f"{PREFIX}{secrets.token_hex(4)}"
        patch = patch_of(member, rung, image, ttl_s=ttl_s, name=name)
        try:
            answer = await api.patch(path, patch, content_type=STRATEGIC_PATCH)
        except Refused as error:
            if not is_admission(error):
                raise Refused(
                    error.message,
                    hint="a role has to allow patch on pods/ephemeralcontainers; --copy needs create on pods",
                    reference=error.reference,
                ) from error
            refusals.append(error)
            notify(f"not admitted: {rung.name}")
            continue
        pod = decode(answer.body, Pod, what="pod")
        if pod.metadata.uid != metadata.uid:
            raise Unsupported("the pod was replaced meanwhile", hint="try again")
        return await _until_running(api, pod, name), rung
    raise Refused(
        f"no debug container is admitted in namespace {metadata.namespace}: {refusals[-1].message}",
        hint="see --explain; --profile chooses one",
        reference="not-admitted",
    )


async def _until_running(api: ClusterApi, pod: Pod, name: str) -> PodMember:
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                try:
                    return await _follow(api, pod, name)
                except ListExpired:
                    metadata = pod.metadata
                    pod = await api.get(object_path("pods", namespace=metadata.namespace, name=metadata.name), Pod)
    except TimeoutError as error:
        raise EngineUnavailable(
            f"the debug container did not start within {START_TIMEOUT_S:g} s",
            hint="see pyd events; its entry stays in the pod until the pod is deleted",
            reference="debug-container-slow",
        ) from error


async def _follow(api: ClusterApi, pod: Pod, name: str) -> PodMember:
    path = object_path("pods", namespace=pod.metadata.namespace)
    selector = {"fieldSelector": f"metadata.name={pod.metadata.name}"}
    while True:
        if (member := _check(pod, name)) is not None:
            return member
        async for event in api.watch(path, pod.metadata.resource_version, selector):
            changed = decode(bytes(event.object), Pod, what="watch")
            if event.type == "BOOKMARK":
                continue
            if event.type == "DELETED" or changed.metadata.uid != pod.metadata.uid:
                raise Unsupported("the pod was deleted meanwhile", reference="pod-gone")
            pod = changed
            if (member := _check(pod, name)) is not None:
                return member


def _check(pod: Pod, name: str) -> PodMember | None:
    """Return the debug container once it runs.

    Raises:
        Unsupported: It can't start.
    """
    for member in members(pod):
        if member.spec.name != name:
            continue
        status = member.status
        if status is None:
            return None
        if status.state.running is not None:
            return member
        if status.state.terminated is not None:
            end = status.state.terminated
            text = safe(" ".join(end.message.split()))[:300] or f"it exited with code {end.exit_code}"
            raise Unsupported(
                f"the debug container ended at once: {text}", hint="its image needs sh", reference="debug-image"
            )
        waiting = status.state.waiting
        if waiting is not None and waiting.reason in FAILED_STATES:
            text = safe(" ".join(waiting.message.split()))[:300]
            raise Unsupported(
                f"the debug container can't start: {safe(waiting.reason)}: {text}",
                hint="name an image that the node can pull: --image REGISTRY/NAME; the entry stays in the pod",
                reference="debug-image",
            )
    return None


def describe(rung: Rung) -> str:
    """Return a rung's settings as JSON, for `--explain`."""
    return msgspec.json.encode(rung.context).decode()
