"""The seam between the two ways in which a node's runtime names its containers."""

from __future__ import annotations

from typing import Protocol

from pyd_core.client.names import pick_container
from pyd_core.cri.node_container import NodeContainer, summary_of


class NodeSource(Protocol):
    """Lists and inspects containers."""

    async def list(self) -> list[NodeContainer]:
        """Return all containers; their specification, process and log are left out where that takes more requests."""
        ...

    async def get(self, identity: str) -> NodeContainer:
        """Return a container by its id.

        Raises:
            NotFound: There is none.
        """
        ...


async def find(source: NodeSource, name: str) -> NodeContainer:
    """Return a container by its name, its id or an unambiguous prefix of its id; of several runs, the latest.

    Raises:
        NotFound: There is none; with the nearest names.
        Ambiguous: It is the prefix of several ids.
    """
    listed = await source.list()
    named = [container for container in listed if container.name == name.removeprefix("/")]
    if named:
        latest = max(named, key=lambda container: (container.attempt, container.created_ns))
        return await source.get(latest.id)
    return await source.get(pick_container([summary_of(container) for container in listed], name).id)
