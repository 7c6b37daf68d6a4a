"""Sharing of equal parts between listed pods: replicas differ in their names, addresses and times only."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar, cast

import msgspec

from pyd_core.kube.model.listed_pod import KEPT_CONDITIONS, ListedContainer, ListedContainerStatus, ListedPod
from pyd_core.kube.model.meta import Condition

T = TypeVar("T", bound=Hashable)

MAX_PARTS = 200_000
"""Parts that are kept to be shared; pods beyond are stored with parts of their own."""


class PodSharing:
    """Lets equal parts of pods be one object. It keeps them alive, so each list has one of its own."""

    def __init__(self) -> None:
        self._parts: dict[Hashable, Hashable] = {}
        self._labels: dict[Hashable, dict[str, str]] = {}
        self._containers: dict[Hashable, ListedContainer] = {}

    def share(self, pod: ListedPod) -> ListedPod:
        """Return a pod whose parts are those of earlier pods where they are equal."""
        metadata, spec, status = pod.metadata, pod.spec, pod.status
        owner = metadata.owner
        template = (metadata.namespace, owner.uid if owner is not None else metadata.name)
        return ListedPod(
            metadata=msgspec.structs.replace(
                metadata,
                namespace=self._part(metadata.namespace),
                creation_timestamp=self._part(metadata.creation_timestamp),
                labels=self._label_set(template, metadata.labels),
                annotations=self._part(metadata.annotations),
                owner_references=self._part(metadata.owner_references),
            ),
            spec=msgspec.structs.replace(
                spec,
                containers=self._container_list(template, spec.containers),
                init_containers=self._container_list(template, spec.init_containers),
                ephemeral_containers=self._container_list(template, spec.ephemeral_containers),
                node_name=self._part(spec.node_name),
                restart_policy=self._part(spec.restart_policy),
                service_account_name=self._part(spec.service_account_name),
                priority_class_name=self._part(spec.priority_class_name),
            ),
            status=msgspec.structs.replace(
                status,
                phase=self._part(status.phase),
                reason=self._part(status.reason),
                message=self._part(status.message),
                conditions=self._conditions(status.conditions),
                container_statuses=self._statuses(status.container_statuses),
                init_container_statuses=self._statuses(status.init_container_statuses),
                start_time=self._part(status.start_time),
                host_ip=self._part(status.host_ip),
                qos_class=self._part(status.qos_class),
            ),
        )

    def _part(self, part: T) -> T:
        known = self._parts.get(part)
        if known is None and len(self._parts) < MAX_PARTS:
            known = self._parts[part] = part
        return part if known is None else cast("T", known)

    def _label_set(self, template: Hashable, labels: dict[str, str]) -> dict[str, str]:
        known = self._labels.get(template)
        if known is not None and known == labels:
            return known
        if len(self._labels) < MAX_PARTS:
            self._labels[template] = labels
        return labels

    def _container_list(
        self, template: Hashable, containers: tuple[ListedContainer, ...]
    ) -> tuple[ListedContainer, ...]:
        return tuple(self._container((template, container.name), container) for container in containers)

    def _container(self, key: Hashable, container: ListedContainer) -> ListedContainer:
        known = self._containers.get(key)
        if known is not None and known == container:
            return known
        if len(self._containers) < MAX_PARTS:
            self._containers[key] = container
        return container

    def _conditions(self, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        return tuple(
            msgspec.structs.replace(
                condition,
                type=self._part(condition.type),
                status=self._part(condition.status),
                reason=self._part(condition.reason),
                message=self._part(condition.message),
            )
            for condition in conditions
            if condition.type in KEPT_CONDITIONS
        )

    def _statuses(self, statuses: tuple[ListedContainerStatus, ...]) -> tuple[ListedContainerStatus, ...]:
        return tuple(
            msgspec.structs.replace(
                status,
                name=self._part(status.name),
                state=status.state if status.state.waiting is None else self._part(status.state),
                image_id=self._part(status.image_id),
            )
            for status in statuses
        )
