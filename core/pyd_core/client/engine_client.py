"""An engine, as its noun objects."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from pyd_core.client.api_client import Session
from pyd_core.client.capabilities import Capability
from pyd_core.client.containers import Containers
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.execs import Execs
from pyd_core.client.images import Images
from pyd_core.client.networks import Networks
from pyd_core.client.system import System
from pyd_core.client.transport.base import Transport
from pyd_core.client.volumes import Volumes

if TYPE_CHECKING:
    from pyd_core.client.configs import Configs
    from pyd_core.client.nodes import Nodes
    from pyd_core.client.secrets import Secrets
    from pyd_core.client.services import Services
    from pyd_core.client.swarm import Swarm
    from pyd_core.client.tasks import Tasks


class Engine:
    """A client of one engine: `async with Engine(endpoint, transport) as engine: await engine.containers.list()`.

    Nothing is sent before the first call, so making one never fails. The methods of the noun objects await nothing but
    the transport: over a transport that blocks they can be run to their end without an event loop (see
    `transport.blocking`), which is how one-shot verbs start fast.
    """

    def __init__(self, endpoint: Endpoint, transport: Transport) -> None:
        self.endpoint = endpoint
        self.session = Session(transport, where=endpoint.url, read_only=endpoint.read_only)
        self.containers = Containers(self.session)
        self.images = Images(self.session)
        self.networks = Networks(self.session)
        self.volumes = Volumes(self.session)
        self.execs = Execs(self.session)
        self.system = System(self.session)

    # The nouns of a swarm are loaded by whoever asks for them: few engines are in one, and `pyd ps` has to be quick.

    @property
    def services(self) -> Services:
        """Services of the swarm."""
        from pyd_core.client.services import Services  # noqa: PLC0415 - as above

        return Services(self.session)

    @property
    def tasks(self) -> Tasks:
        """Tasks of the swarm."""
        from pyd_core.client.tasks import Tasks  # noqa: PLC0415 - as above

        return Tasks(self.session)

    @property
    def nodes(self) -> Nodes:
        """Nodes of the swarm."""
        from pyd_core.client.nodes import Nodes  # noqa: PLC0415 - as above

        return Nodes(self.session)

    @property
    def secrets(self) -> Secrets:
        """Secrets of the swarm."""
        from pyd_core.client.secrets import Secrets  # noqa: PLC0415 - as above

        return Secrets(self.session)

    @property
    def configs(self) -> Configs:
        """Configs of the swarm."""
        from pyd_core.client.configs import Configs  # noqa: PLC0415 - as above

        return Configs(self.session)

    @property
    def swarm(self) -> Swarm:
        """The swarm itself."""
        from pyd_core.client.swarm import Swarm  # noqa: PLC0415 - as above

        return Swarm(self.session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def can(self, capability: Capability) -> bool:
        """Tells whether the engine has a capability."""
        return await self.session.can(capability)

    async def require(self, capability: Capability) -> None:
        """Does nothing on an engine that has a capability.

        Raises:
            Unsupported: This one hasn't.
        """
        await self.session.require(capability)

    async def aclose(self) -> None:
        """Ends all connections."""
        await self.session.transport.aclose()
