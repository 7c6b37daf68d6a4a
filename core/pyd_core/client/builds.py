"""Connections to an engine's BuildKit (moby/moby, `api/server/router/grpc` and `router/session`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.client.api_client import ApiClient
from pyd_core.client.transport.base import Duplex
from pyd_core.errors import EngineError, InvalidInput, NotFound, Unsupported

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel

BUILDKIT_VERSION = "2"
"""The value of the header `Builder-Version` of engines that build with BuildKit."""


class BuildsApi:
    """Opens connections that are taken over for gRPC.

    Args:
        client: HTTP client of the engine.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def has_buildkit(self) -> bool:
        """Return whether the engine announces BuildKit; Podman and old engines have the classic builder only."""
        await self._client.negotiate()
        return self._client.ping_headers.get("builder-version", "") == BUILDKIT_VERSION

    async def require_buildkit(self) -> None:
        """Require BuildKit of the engine.

        Raises:
            Unsupported: The engine has the classic builder only.
        """
        if not await self.has_buildkit():
            raise Unsupported(
                f"{self._client.where} has no BuildKit",
                hint="use Docker Engine 23 or newer, or pydd",
                reference="no-buildkit",
            )

    async def channel(self) -> DuplexChannel:
        """Open a gRPC channel to the engine's BuildKit.

        Raises:
            Unsupported: The engine has no `/grpc`.
        """
        from pyd_core.buildkit.rpc.connection import DuplexChannel  # noqa: PLC0415 - only builds load gRPC

        return DuplexChannel(await self._upgrade("/grpc", {}))

    async def session(self, session_id: str, *, name: str, shared_key: str, methods: Sequence[str]) -> Duplex:
        """Open a session: a connection on which the engine calls services of this process.

        Args:
            session_id: Random; builds refer to it.
            name: Shown in the engine's log.
            shared_key: Identifies the directory that is sent, so that later builds send only what changed.
            methods: The gRPC methods that are served, with their services.

        Raises:
            Unsupported: The engine has no `/session`.
        """
        headers: dict[str, str | tuple[str, ...]] = {
            "X-Docker-Expose-Session-Uuid": session_id,
            "X-Docker-Expose-Session-Name": name,
            "X-Docker-Expose-Session-Sharedkey": shared_key,
            "X-Docker-Expose-Session-Grpc-Method": tuple(methods),
        }
        return await self._upgrade("/session", headers)

    async def _upgrade(self, path: str, headers: dict[str, str | tuple[str, ...]]) -> Duplex:
        try:
            return await self._client.upgrade(path, protocol="h2c", headers=headers)
        except (NotFound, Unsupported, InvalidInput, EngineError) as error:
            raise Unsupported(
                f"{self._client.where} doesn't offer BuildKit at {path}: {error.message}",
                hint="use Docker Engine 23 or newer, or pydd",
                reference="no-buildkit",
            ) from error
