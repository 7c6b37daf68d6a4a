"""Client of one engine, with an API object for each kind of object."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from pyd_core.client.api_client import ApiClient
from pyd_core.client.capabilities import Capability
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.http_date import parse_http_date
from pyd_core.client.system import SystemApi
from pyd_core.client.transport.base import Transport

if TYPE_CHECKING:
    from pyd_core.client.configs import ConfigsApi
    from pyd_core.client.execs import ExecsApi
    from pyd_core.client.images import ImagesApi
    from pyd_core.client.networks import NetworksApi
    from pyd_core.client.nodes import NodesApi
    from pyd_core.client.secrets import SecretsApi
    from pyd_core.client.services import ServicesApi
    from pyd_core.client.swarm import SwarmApi
    from pyd_core.client.tasks import TasksApi
    from pyd_core.client.volumes import VolumesApi


class EngineClient:
    """A client of one engine: `async with EngineClient(endpoint, transport) as engine: await engine.containers.list()`.

    Nothing is sent before the first call, so the constructor never fails. The methods of the API objects await only the
    transport: over a blocking one they run to their end without an event loop (see `transport.blocking`), which is how
    one-shot commands start fast.
    """

    family: ClassVar[str] = "engine"
    """The family of providers, which has its own views in the dashboard."""
    lacks: ClassVar[frozenset[str]] = frozenset()
    """Actions on containers that no provider of this family has, by the dashboard's names."""

    def __init__(self, endpoint: Endpoint, transport: Transport) -> None:
        self.endpoint = endpoint
        self.api = ApiClient(transport, where=endpoint.url, read_only=endpoint.read_only)
        self.containers = ContainersApi(self.api)
        self.system = SystemApi(self.api)

    # Other APIs are imported on demand: `pyd ps` and the first list of the dashboard have to be quick.

    @property
    def images(self) -> ImagesApi:
        """Images."""
        from pyd_core.client.images import ImagesApi  # noqa: PLC0415 - as above

        return ImagesApi(self.api)

    @property
    def networks(self) -> NetworksApi:
        """Networks."""
        from pyd_core.client.networks import NetworksApi  # noqa: PLC0415 - as above

        return NetworksApi(self.api)

    @property
    def volumes(self) -> VolumesApi:
        """Volumes."""
        from pyd_core.client.volumes import VolumesApi  # noqa: PLC0415 - as above

        return VolumesApi(self.api)

    @property
    def execs(self) -> ExecsApi:
        """Commands in containers."""
        from pyd_core.client.execs import ExecsApi  # noqa: PLC0415 - as above

        return ExecsApi(self.api)

    @property
    def services(self) -> ServicesApi:
        """Services of the swarm."""
        from pyd_core.client.services import ServicesApi  # noqa: PLC0415 - as above

        return ServicesApi(self.api)

    @property
    def tasks(self) -> TasksApi:
        """Tasks of the swarm."""
        from pyd_core.client.tasks import TasksApi  # noqa: PLC0415 - as above

        return TasksApi(self.api)

    @property
    def nodes(self) -> NodesApi:
        """Nodes of the swarm."""
        from pyd_core.client.nodes import NodesApi  # noqa: PLC0415 - as above

        return NodesApi(self.api)

    @property
    def secrets(self) -> SecretsApi:
        """Secrets of the swarm."""
        from pyd_core.client.secrets import SecretsApi  # noqa: PLC0415 - as above

        return SecretsApi(self.api)

    @property
    def configs(self) -> ConfigsApi:
        """Configs of the swarm."""
        from pyd_core.client.configs import ConfigsApi  # noqa: PLC0415 - as above

        return ConfigsApi(self.api)

    @property
    def swarm(self) -> SwarmApi:
        """The swarm itself."""
        from pyd_core.client.swarm import SwarmApi  # noqa: PLC0415 - as above

        return SwarmApi(self.api)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def connect(self) -> int | None:
        """Reach the engine, and return its clock at its first response; None if it sends none.

        Returns:
            Whole seconds, in nanoseconds since the epoch.
        """
        await self.api.negotiate()
        seconds = parse_http_date(self.api.ping_headers.get("date", ""))
        return None if seconds is None else seconds * 1_000_000_000

    async def can(self, capability: Capability) -> bool:
        """Return whether the engine has a capability."""
        return await self.api.can(capability)

    async def require(self, capability: Capability) -> None:
        """Require a capability of the engine.

        Raises:
            Unsupported: The engine lacks it.
        """
        await self.api.require(capability)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.api.transport.aclose()
