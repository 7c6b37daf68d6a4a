"""The swarm that an engine is a member of, or isn't yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyd_core.client.api_client import ApiClient
from pyd_core.client.swarm_update import Edit
from pyd_core.model.base import decode
from pyd_core.model.swarm import Swarm as SwarmModel
from pyd_core.model.swarm import UnlockKey

EVERYWHERE = "0.0.0.0:2377"
"""Where a member listens unless told, as the docker CLI has it."""


class SwarmApi:
    """`engine.swarm`: everything under `/swarm`."""

    def __init__(self, session: ApiClient) -> None:
        self._session = session

    async def inspect(self) -> SwarmModel:
        """Return the swarm with the tokens to join it; only a manager answers."""
        return await self._session.get("/swarm", SwarmModel)

    async def init(
        self, *, advertise: str = "", listen: str = EVERYWHERE, spec: Mapping[str, object] | None = None
    ) -> str:
        """Make a swarm with this engine as its first manager, and return its node's id."""
        body = {"ListenAddr": listen, "AdvertiseAddr": advertise, "Spec": dict(spec or {})}
        made = decode(await self._session.post("/swarm/init", body=body), str)
        self._session.renegotiate()
        return made

    async def join(self, remotes: Sequence[str], token: str, *, advertise: str = "", listen: str = EVERYWHERE) -> None:
        """Become a member of the swarm that one of `remotes` (`host:port`) manages."""
        body = {
            "ListenAddr": listen,
            "AdvertiseAddr": advertise,
            "RemoteAddrs": list(remotes),
            "JoinToken": token,
        }
        await self._session.post("/swarm/join", body=body)
        self._session.renegotiate()

    async def edit(self, change: Edit, *, rotate: str = "") -> None:
        """Change the swarm's spec by a function that edits it in place.

        Args:
            change: What it does.
            rotate: Whose join token is made anew, `worker` or `manager`; `unlock-key` for the key of locked managers.
        """
        known = await self._session.get("/swarm", dict[str, Any])
        spec: dict[str, Any] = known.get("Spec", {})
        change(spec)
        query = {
            "version": int(known.get("Version", {}).get("Index", 0)),
            "rotateWorkerToken": rotate == "worker",
            "rotateManagerToken": rotate == "manager",
            "rotateManagerUnlockKey": rotate == "unlock-key",
        }
        await self._session.post("/swarm/update", query, body=spec)

    async def unlock_key(self) -> str:
        """Return the key that a locked manager needs when it starts again; empty where managers don't lock."""
        return (await self._session.get("/swarm/unlockkey", UnlockKey)).unlock_key

    async def unlock(self, key: str) -> None:
        """Unlock this manager, which started again in a swarm whose managers lock."""
        await self._session.post("/swarm/unlock", body={"UnlockKey": key})
        self._session.renegotiate()

    async def leave(self, *, force: bool = False) -> None:
        """Is no member any more; a manager only with `force`."""
        await self._session.post("/swarm/leave", {"force": force or None})
        self._session.renegotiate()
