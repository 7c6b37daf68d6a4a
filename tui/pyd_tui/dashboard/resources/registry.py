"""The resource views as data, all shown by one screen."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_tui.dashboard.panels.views import FAMILY_UNNUMBERED, NODE_VIEWS
from pyd_tui.dashboard.resources.base import ResourceView
from pyd_tui.dashboard.resources.builds import BUILDS
from pyd_tui.dashboard.resources.deaths import DEATHS
from pyd_tui.dashboard.resources.events import EVENTS
from pyd_tui.dashboard.resources.images import IMAGES, NODE_IMAGES
from pyd_tui.dashboard.resources.networks import NETWORKS
from pyd_tui.dashboard.resources.nodes import NODES
from pyd_tui.dashboard.resources.services import SERVICES
from pyd_tui.dashboard.resources.stacks import STACKS
from pyd_tui.dashboard.resources.system import SYSTEM
from pyd_tui.dashboard.resources.tasks import TASKS
from pyd_tui.dashboard.resources.volumes import VOLUMES

RESOURCE_PREFIX = "resource:"
"""Before a resource's name in the API, in the names of views that have no other."""

_ALL = (IMAGES, NETWORKS, VOLUMES, EVENTS, SYSTEM, SERVICES, TASKS, NODES, STACKS, DEATHS, BUILDS)

RESOURCES: Mapping[str, ResourceView] = {resource.name: resource for resource in _ALL}
"""All views except the containers, by name."""


def resource_view(name: str, family: str) -> ResourceView | None:
    """Return a view of a family of providers, if it has one of that name."""
    if family == "node":
        views = {**RESOURCES, NODE_IMAGES.name: NODE_IMAGES}
        return views.get(name) if name in (*NODE_VIEWS, *FAMILY_UNNUMBERED["node"]) else None
    if family != "cluster":
        return RESOURCES.get(name)
    from pyd_tui.dashboard.resources.cluster import CLUSTER_RESOURCES  # noqa: PLC0415 - only for clusters
    from pyd_tui.dashboard.resources.cluster.tables import table_view  # noqa: PLC0415 - as above

    if name.startswith(RESOURCE_PREFIX):
        return table_view(name.removeprefix(RESOURCE_PREFIX), name.removeprefix(RESOURCE_PREFIX))
    return CLUSTER_RESOURCES.get(name)
