"""The open sessions of an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pyd_core.buildkit.rpc.channel import channel_over
from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.session.client_session import RemoteSession
from pyd_core.errors import Conflict, InvalidInput, NotFound

WAIT_S = 5.0
"""How long a build waits for its session: clients open both at once."""
MAX_SESSIONS = 1000
MAX_ID_BYTES = 256
MAX_METHODS = 200


class BuildSessions:
    """BuildSessions by id.

    Args:
        sockets: The directory for forwarded agents' sockets.
    """

    def __init__(self, sockets: Path) -> None:
        self._sockets = sockets
        self._open: dict[str, BuildSession] = {}
        self._opened = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._open)

    async def serve(
        self,
        session_id: str,
        *,
        shared_key: str,
        methods: Sequence[str],
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes],
    ) -> None:
        """Keep a client's session until its connection ends.

        Args:
            session_id: As the client named it.
            shared_key: Names the client's directory across its builds.
            methods: Paths of the methods that the client serves.
            connection: Reader, writer, and what was read already.

        Raises:
            Conflict: There is a session of that id.
        """
        self.check(session_id)
        self._sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with channel_over(*connection) as channel:
            session = RemoteSession(
                session_id,
                shared_key=shared_key,
                methods=frozenset(method.lower() for method in methods[:MAX_METHODS]),
                channel=channel,
                sockets=self._sockets,
            )
            await self.add(session)
            try:
                await asyncio.shield(channel.lost)
            finally:
                self.remove(session)

    def check(self, session_id: str) -> None:
        """Check that a session can be opened.

        Raises:
            InvalidInput: The id is empty or too long.
            Conflict: There is a session of that id, or there are too many.
        """
        if not session_id or len(session_id) > MAX_ID_BYTES:
            raise InvalidInput("a session needs an id of at most 256 characters")
        if session_id in self._open:
            raise Conflict(f"session {session_id} already exists")
        if len(self._open) >= MAX_SESSIONS:
            raise Conflict("there are too many build sessions")

    async def add(self, session: BuildSession) -> None:
        """Add a session."""
        async with self._opened:
            self.check(session.id)
            self._open[session.id] = session
            self._opened.notify_all()

    def remove(self, session: BuildSession) -> None:
        """Remove a session."""
        self._open.pop(session.id, None)

    async def get(self, session_id: str) -> BuildSession | None:
        """Return a session, which may open within the next seconds; None for an empty id.

        Raises:
            NotFound: There is none.
        """
        if not session_id:
            return None
        try:
            async with asyncio.timeout(WAIT_S), self._opened:
                await self._opened.wait_for(lambda: session_id in self._open)
                return self._open[session_id]
        except TimeoutError:
            raise NotFound(f"no active session for {session_id[:64]}") from None
