"""Services of a cluster."""

from __future__ import annotations

from pyd_core.kube.model.meta import ClusterStruct, ObjectMeta


class ClusterServicePort(ClusterStruct):
    """Port of a service."""

    name: str = ""
    port: int = 0
    target_port: int | str = 0
    """A number, or the name of a container's port; 0 is the service's own number."""


class ClusterServiceSpec(ClusterStruct):
    """Specification of a service."""

    selector: dict[str, str] = {}
    ports: list[ClusterServicePort] = []
    type: str = "ClusterIP"


class ClusterService(ClusterStruct):
    """Service, with the parts that pyd reads."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ClusterServiceSpec = ClusterServiceSpec()
