"""Pods reduced to what lists show, for clusters with thousands of them.

A field that isn't kept has a name with `-` before it, which no server sends: its value is skipped while it is decoded.
"""

from __future__ import annotations

import msgspec

from pyd_core.kube.model.meta import ObjectMeta
from pyd_core.kube.model.pod import (
    ContainerStatus,
    EnvironmentEntry,
    Pod,
    PodContainer,
    PodSpec,
    PodStatus,
    PodVolume,
    SecurityContext,
    VolumeMount,
)

KEPT_CONDITIONS = frozenset({"Ready", "PodScheduled"})
"""Conditions that lists show; the others would take a third of the memory."""


class ListedMeta(ObjectMeta):
    """Name and identity of a listed pod."""

    finalizers: tuple[str, ...] = msgspec.field(name="-finalizers", default=())


class ListedContainer(PodContainer):
    """Container of a listed pod: no variables, mounts or rights."""

    env: tuple[EnvironmentEntry, ...] = msgspec.field(name="-env", default=())
    volume_mounts: tuple[VolumeMount, ...] = msgspec.field(name="-volumeMounts", default=())
    security_context: SecurityContext | None = msgspec.field(name="-securityContext", default=None)


class ListedSpec(PodSpec):
    """Specification of a listed pod."""

    containers: tuple[ListedContainer, ...] = ()
    init_containers: tuple[ListedContainer, ...] = ()
    ephemeral_containers: tuple[ListedContainer, ...] = ()
    volumes: tuple[PodVolume, ...] = msgspec.field(name="-volumes", default=())
    security_context: SecurityContext | None = msgspec.field(name="-securityContext", default=None)


class ListedContainerStatus(ContainerStatus):
    """Status of a listed pod's container, without its ids."""

    image: str = msgspec.field(name="-image", default="")
    container_id: str = msgspec.field(name="-containerID", default="")


class ListedPodStatus(PodStatus):
    """Status of a listed pod."""

    container_statuses: tuple[ListedContainerStatus, ...] = ()
    init_container_statuses: tuple[ListedContainerStatus, ...] = ()
    ephemeral_container_statuses: tuple[ListedContainerStatus, ...] = ()


class ListedPod(Pod):
    """Pod of a long list. Its environment, mounts, rights and most of its conditions are unknown."""

    metadata: ListedMeta = ListedMeta()
    spec: ListedSpec = ListedSpec()
    status: ListedPodStatus = ListedPodStatus()
