"""Parts that all objects of the Kubernetes API share."""

from __future__ import annotations

import msgspec

from pyd_core.model.base import ApiStruct, parse_time


class ClusterStruct(ApiStruct, rename="camel"):
    """Base class for types of the Kubernetes API: snake_case here, camelCase on the wire."""


class OwnerReference(ClusterStruct):
    """Object that owns another one, such as the replica set of a pod."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class PodAnnotations(ClusterStruct, rename=None):
    """Annotations that pyd reads; others, such as `last-applied-configuration`, are never kept."""

    default_container: str = msgspec.field(name="kubectl.kubernetes.io/default-container", default="")
    mirror: str = msgspec.field(name="kubernetes.io/config.mirror", default="")
    """Set on the API's copies of a kubelet's static pods."""
    revision: str = msgspec.field(name="deployment.kubernetes.io/revision", default="")


class ObjectMeta(ClusterStruct):
    """Name and identity of an object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: PodAnnotations = PodAnnotations()
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def created_ns(self) -> int | None:
        """The time of its creation, nanoseconds since the epoch."""
        return parse_time(self.creation_timestamp or "")

    @property
    def owner(self) -> OwnerReference | None:
        """The object that controls this one."""
        return next((reference for reference in self.owner_references if reference.controller), None)


class ListMeta(ClusterStruct):
    """Position of a list."""

    resource_version: str = ""
    next: str = msgspec.field(name="continue", default="")
    """Token for the next page; empty at the end."""
    remaining_item_count: int | None = None


class Condition(ClusterStruct):
    """Condition of an object."""

    type: str = ""
    status: str = ""
    """`True`, `False` or `Unknown`."""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None

    @property
    def changed_ns(self) -> int | None:
        """The time of its last change, nanoseconds since the epoch."""
        return parse_time(self.last_transition_time or "")


class AnyObject(ClusterStruct):
    """Object of any kind, reduced to its name and identity."""

    kind: str = ""
    api_version: str = ""
    metadata: ObjectMeta = ObjectMeta()
