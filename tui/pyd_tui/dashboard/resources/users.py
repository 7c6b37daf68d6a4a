"""Who uses what: containers by the image, network and volume they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyd_core.client.engine_client import EngineClient
from pyd_core.model.container import ContainerSummary
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

Users = dict[str, list[ContainerSummary]]


async def users(engine: EngineClient, of: Callable[[ContainerSummary], Iterable[str]]) -> Users:
    """Returns the containers, running or not, by what they use of one kind."""
    found: Users = {}
    for container in await engine.containers.list(all=True):
        for key in of(container):
            found.setdefault(key, []).append(container)
    return found


def image_of(container: ContainerSummary) -> list[str]:
    """The image's id."""
    return [container.image_id]


def volumes_of(container: ContainerSummary) -> list[str]:
    """The names of the volumes."""
    return [mount.name for mount in container.mounts if mount.type == "volume" and mount.name]


def networks_of(container: ContainerSummary) -> list[str]:
    """The names of the networks."""
    return list(container.network_settings.networks)


def names(found: list[ContainerSummary]) -> Cell:
    """Names the containers, the running ones first."""
    pieces: list[Span] = []
    for container in in_order(found):
        if pieces:
            pieces.append(Span(", ", "dim"))
        pieces += cell(container.name, "text" if container.state == "running" else "dim")
    return tuple(pieces) or EMPTY


def in_order(found: list[ContainerSummary]) -> list[ContainerSummary]:
    """The running ones first, each by name."""
    return sorted(found, key=lambda container: (container.state != "running", container.name))
