"""The resource views of a cluster."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_tui.dashboard.resources.base import ResourceView
from pyd_tui.dashboard.resources.cluster.nodes import CLUSTER_NODES
from pyd_tui.dashboard.resources.cluster.tables import table_view
from pyd_tui.dashboard.resources.cluster.workloads import WORKLOADS
from pyd_tui.dashboard.resources.deaths import DEATHS
from pyd_tui.dashboard.resources.events import EVENTS

_ALL = (
    WORKLOADS,
    table_view("services", "services"),
    CLUSTER_NODES,
    EVENTS,
    table_view("configmaps", "configmaps"),
    table_view("secrets", "secrets"),
    table_view("claims", "persistentvolumeclaims"),
    table_view("ingresses", "ingresses.networking.k8s.io"),
    table_view("namespaces", "namespaces"),
    DEATHS,
)

CLUSTER_RESOURCES: Mapping[str, ResourceView] = {resource.name: resource for resource in _ALL}
"""The views of a cluster except its containers, by name."""
