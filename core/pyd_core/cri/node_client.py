"""Client of a node's runtime: a provider of containers (`client/provider.py`), for containerd and the CRI."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

from pyd_core.client.capabilities import Capability
from pyd_core.client.endpoint import Endpoint
from pyd_core.cri.containerd_channel import ContainerdChannel
from pyd_core.cri.containerd_images import ContainerdImages
from pyd_core.cri.containerd_source import ContainerdSource
from pyd_core.cri.cri_images import CriImages
from pyd_core.cri.cri_source import CriSource
from pyd_core.cri.image_source import NodeImageSource
from pyd_core.cri.node_address import parse_node_address
from pyd_core.cri.node_containers import NodeContainers
from pyd_core.cri.node_execs import NodeExecs
from pyd_core.cri.node_images import NodeImages
from pyd_core.cri.node_source import NodeSource
from pyd_core.cri.node_system import NodeSystem


class NodeClient:
    """The containers of a runtime on this machine.

    It changes nothing but for the commands that it runs and the images that it removes: a kubelet, or another client,
    owns the containers.

    Args:
        endpoint: `cri:///SOCKET` or `containerd:///SOCKET?namespace=NAME`.
    """

    family: ClassVar[str] = "node"
    lacks: ClassVar[frozenset[str]] = frozenset(
        {
            *("start", "stop", "restart", "pause", "resume", "kill", "remove", "rename", "limits", "recreate"),
            *("connect", "disconnect", "commit", "pull", "compose", "export", "demo"),
        }
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        address = parse_node_address(endpoint.url)
        self._connection = ContainerdChannel(address.socket, address.namespace)
        source: NodeSource = CriSource(self._connection) if address.cri else ContainerdSource(self._connection)
        self.containers = NodeContainers(source, endpoint)
        images: NodeImageSource = CriImages(self._connection) if address.cri else ContainerdImages(self._connection)
        self.images = NodeImages(self._connection, images, source, endpoint)
        self.execs = NodeExecs(self._connection, source, endpoint)
        self.system = NodeSystem(self._connection, source, cri=address.cri)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def connect(self) -> int | None:
        """Reach the runtime; it reports no time, and its clock is this machine's."""
        await self.system.version()
        return None

    async def can(self, capability: Capability) -> bool:
        """Return False: a runtime has no capability of engines."""
        del capability
        return False

    async def aclose(self) -> None:
        """Close all connections."""
        await self.execs.aclose()
        self._connection.close()
