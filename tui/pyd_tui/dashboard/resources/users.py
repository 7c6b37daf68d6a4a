"""The containers that use each image, network and volume."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyd_core.client.provider import Provider
from pyd_core.model.container import ContainerSummary
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell

Users = dict[str, list[ContainerSummary]]


async def users(engine: Provider, of: Callable[[ContainerSummary], Iterable[str]]) -> Users:
    """Return the containers, running or not, by the objects of one kind that they use."""
    by_key: Users = {}
    for container in await engine.containers.list(all=True):
        for key in of(container):
            by_key.setdefault(key, []).append(container)
    return by_key


def image_of(container: ContainerSummary) -> list[str]:
    """Return the id of the container's image."""
    return [container.image_id]


def volumes_of(container: ContainerSummary) -> list[str]:
    """Return the names of the container's volumes."""
    return [mount.name for mount in container.mounts if mount.type == "volume" and mount.name]


def networks_of(container: ContainerSummary) -> list[str]:
    """Return the names of the container's networks."""
    return list(container.network_settings.networks)


def names(containers: list[ContainerSummary]) -> Cell:
    """Return the names of containers, the running ones first."""
    pieces: list[Span] = []
    for container in in_order(containers):
        if pieces:
            pieces.append(Span(", ", "dim"))
        pieces += cell(container.name, "text" if container.state == "running" else "dim")
    return tuple(pieces) or EMPTY


def in_order(containers: list[ContainerSummary]) -> list[ContainerSummary]:
    """Return containers sorted by name, the running ones first."""
    return sorted(containers, key=lambda container: (container.state != "running", container.name))
