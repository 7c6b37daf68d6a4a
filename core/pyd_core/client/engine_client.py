"""An engine, as its noun objects."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from pyd_core.client.api_client import ApiClient
from pyd_core.client.capabilities import Capability
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.execs import ExecsApi
from pyd_core.client.images import ImagesApi
from pyd_core.client.networks import NetworksApi
from pyd_core.client.system import SystemApi
from pyd_core.client.transport.base import Transport
from pyd_core.client.volumes import VolumesApi

if TYPE_CHECKING:
    from pyd_core.client.configs import ConfigsApi
    from pyd_core.client.nodes import NodesApi
    from pyd_core.client.secrets import SecretsApi
    from pyd_core.client.services import ServicesApi
    from pyd_core.client.swarm import SwarmApi
    from pyd_core.client.tasks import TasksApi


class EngineClient:
    """A client of one engine: `async with Engine(endpoint, transport) as engine: await engine.containers.list()`.

    Nothing is sent before the first call, so making one never fails. The methods of the noun objects await nothing but
    the transport: over a transport that blocks they can be run to their end without an event loop (see
    `transport.blocking`), which is how one-shot verbs start fast.
    """

    def __init__(self, endpoint: Endpoint, transport: Transport) -> None:
        self.endpoint = endpoint
        self.session = ApiClient(transport, where=endpoint.url, read_only=endpoint.read_only)
        self.containers = ContainersApi(self.session)
        self.images = ImagesApi(self.session)
        self.networks = NetworksApi(self.session)
        self.volumes = VolumesApi(self.session)
        self.execs = ExecsApi(self.session)
        self.system = SystemApi(self.session)

    # The nouns of a swarm are loaded by whoever asks for them: few engines are in one, and `pyd ps` has to be quick.

    @property
    def services(self) -> ServicesApi:
        """Services of the swarm."""
        from pyd_core.client.services import ServicesApi  # noqa: PLC0415 - as above

        return ServicesApi(self.session)

    @property
    def tasks(self) -> TasksApi:
        """Tasks of the swarm."""
        from pyd_core.client.tasks import TasksApi  # noqa: PLC0415 - as above

        return TasksApi(self.session)

    @property
    def nodes(self) -> NodesApi:
        """Nodes of the swarm."""
        from pyd_core.client.nodes import NodesApi  # noqa: PLC0415 - as above

        return NodesApi(self.session)

    @property
    def secrets(self) -> SecretsApi:
        """Secrets of the swarm."""
        from pyd_core.client.secrets import SecretsApi  # noqa: PLC0415 - as above

        return SecretsApi(self.session)

    @property
    def configs(self) -> ConfigsApi:
        """Configs of the swarm."""
        from pyd_core.client.configs import ConfigsApi  # noqa: PLC0415 - as above

        return ConfigsApi(self.session)

    @property
    def swarm(self) -> SwarmApi:
        """The swarm itself."""
        from pyd_core.client.swarm import SwarmApi  # noqa: PLC0415 - as above

        return SwarmApi(self.session)

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
        """End all connections."""
        await self.session.transport.aclose()
