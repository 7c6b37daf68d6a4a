"""The swarm of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyd_core.client.api_client import ApiClient
from pyd_core.client.swarm_update import Edit
from pyd_core.model.base import decode
from pyd_core.model.swarm import Swarm as SwarmModel
from pyd_core.model.swarm import UnlockKey

DEFAULT_LISTEN_ADDRESS = "0.0.0.0:2377"
"""The docker CLI's default."""


class SwarmApi:
    """`engine.swarm`: everything under `/swarm`."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def inspect(self) -> SwarmModel:
        """Return the swarm with the tokens to join it; only a manager answers."""
        return await self._client.get("/swarm", SwarmModel)

    async def init(
        self, *, advertise: str = "", listen: str = DEFAULT_LISTEN_ADDRESS, spec: Mapping[str, object] | None = None
    ) -> str:
        """Create a swarm with this engine as its first manager, and return its node's id."""
        body = {"ListenAddr": listen, "AdvertiseAddr": advertise, "Spec": dict(spec or {})}
        node_id = decode(await self._client.post("/swarm/init", body=body), str)
        self._client.renegotiate()
        return node_id

    async def join(
        self, remotes: Sequence[str], token: str, *, advertise: str = "", listen: str = DEFAULT_LISTEN_ADDRESS
    ) -> None:
        """Become a member of the swarm that one of `remotes` (`host:port`) manages."""
        body = {
            "ListenAddr": listen,
            "AdvertiseAddr": advertise,
            "RemoteAddrs": list(remotes),
            "JoinToken": token,
        }
        await self._client.post("/swarm/join", body=body)
        self._client.renegotiate()

    async def edit(self, change: Edit, *, rotate: str = "") -> None:
        """Change the swarm's spec by a function that edits it in place.

        Args:
            change: The function.
            rotate: The join token to replace, `worker` or `manager`; `unlock-key` for the key of locked managers.
        """
        document = await self._client.get("/swarm", dict[str, Any])
        spec: dict[str, Any] = document.get("Spec", {})
        change(spec)
        query = {
            "version": int(document.get("Version", {}).get("Index", 0)),
            "rotateWorkerToken": rotate == "worker",
            "rotateManagerToken": rotate == "manager",
            "rotateManagerUnlockKey": rotate == "unlock-key",
        }
        await self._client.post("/swarm/update", query, body=spec)

    async def unlock_key(self) -> str:
        """Return the key that a locked manager needs when it starts again; empty where managers don't lock."""
        return (await self._client.get("/swarm/unlockkey", UnlockKey)).unlock_key

    async def unlock(self, key: str) -> None:
        """Unlock this manager, which started again in a swarm whose managers lock."""
        await self._client.post("/swarm/unlock", body={"UnlockKey": key})
        self._client.renegotiate()

    async def leave(self, *, force: bool = False) -> None:
        """Leave the swarm; a manager only with `force`."""
        await self._client.post("/swarm/leave", {"force": force or None})
        self._client.renegotiate()
