"""The resource views as data, all shown by one screen."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_tui.dashboard.resources.base import ResourceView
from pyd_tui.dashboard.resources.deaths import DEATHS
from pyd_tui.dashboard.resources.events import EVENTS
from pyd_tui.dashboard.resources.images import IMAGES
from pyd_tui.dashboard.resources.networks import NETWORKS
from pyd_tui.dashboard.resources.nodes import NODES
from pyd_tui.dashboard.resources.services import SERVICES
from pyd_tui.dashboard.resources.stacks import STACKS
from pyd_tui.dashboard.resources.system import SYSTEM
from pyd_tui.dashboard.resources.tasks import TASKS
from pyd_tui.dashboard.resources.volumes import VOLUMES

_ALL = (IMAGES, NETWORKS, VOLUMES, EVENTS, SYSTEM, SERVICES, TASKS, NODES, STACKS, DEATHS)

RESOURCES: Mapping[str, ResourceView] = {resource.name: resource for resource in _ALL}
"""All views except the containers, by name."""
