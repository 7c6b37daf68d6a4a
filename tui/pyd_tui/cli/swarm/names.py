"""Names of a swarm's objects and their completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.cli.objects.names import ObjectName

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient


class NodeName(ObjectName):
    """A node's host name or id."""

    name = "node"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all host names."""
        return sorted(node.description.hostname for node in await engine.nodes.list())


class ServiceName(ObjectName):
    """A service's name or id."""

    name = "service"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        return sorted(service.spec.name for service in await engine.services.list())


class SecretName(ObjectName):
    """A secret's name or id."""

    name = "secret"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        return sorted(secret.spec.name for secret in await engine.secrets.list())


class ConfigName(ObjectName):
    """A config's name or id."""

    name = "config"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        return sorted(config.spec.name for config in await engine.configs.list())


class StackName(ObjectName):
    """A stack's name."""

    name = "stack"

    async def list_names(self, engine: EngineClient) -> list[str]:
        """Return all names."""
        return sorted({service.stack for service in await engine.services.list() if service.stack})
