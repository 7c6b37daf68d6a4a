"""What can be looked at beside containers: each noun as data, shown by one screen."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_tui.dashboard.nouns.base import Noun
from pyd_tui.dashboard.nouns.events import EVENTS
from pyd_tui.dashboard.nouns.images import IMAGES
from pyd_tui.dashboard.nouns.networks import NETWORKS
from pyd_tui.dashboard.nouns.nodes import NODES
from pyd_tui.dashboard.nouns.services import SERVICES
from pyd_tui.dashboard.nouns.stacks import STACKS
from pyd_tui.dashboard.nouns.system import SYSTEM
from pyd_tui.dashboard.nouns.tasks import TASKS
from pyd_tui.dashboard.nouns.volumes import VOLUMES

_ALL = (IMAGES, NETWORKS, VOLUMES, EVENTS, SYSTEM, SERVICES, TASKS, NODES, STACKS)

NOUNS: Mapping[str, Noun] = {noun.name: noun for noun in _ALL}
"""Every view but that of the containers, by name."""
