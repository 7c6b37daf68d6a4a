"""The context that a client sends as the body of its request, as an upload of its session."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.build.interfaces import BuildSession, SyncedTree
from pyd_core.daemon.build.session.content_store import ContentStore
from pyd_core.errors import NotFound, Unsupported

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RequestBody:
    """A request's body in a file.

    Attributes:
        digest: `sha256:…` of its content, and the name of the upload.
    """

    file: Path
    digest: str


def received_body(file: Path) -> RequestBody:
    """Return the body in a file, with its digest."""
    with file.open("rb") as content:
        return RequestBody(file=file, digest=f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}")


class RequestBodySession:
    """Serves a request's body besides what the client's session serves; implements `BuildSession`.

    Uploads of the client's session are refused: the solver takes uploads of a session without an id for content with
    a known digest.

    Args:
        body: The body.
        session: The client's session, if it has one.
    """

    def __init__(self, body: RequestBody, session: BuildSession | None) -> None:
        self.id = ""
        self.shared_key = session.shared_key if session is not None else ""
        self._body = body
        self._session = session

    @asynccontextmanager
    async def upload(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read the body."""
        if path != self._body.digest:
            raise NotFound(f"this build has no upload {path[:80]}")
        with self._body.file.open("rb") as file:

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk

            yield chunks()

    def _client(self) -> BuildSession:
        if self._session is None:
            raise Unsupported("this build has no session of its client", reference="session-lacks-service")
        return self._session

    async def sync_directory(
        self,
        *,
        name: str,
        destination_fd: int,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        follow_paths: Sequence[str] = (),
        previous: SyncedTree | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> SyncedTree:
        """Bring a directory to the state of the client's directory `name`, see `BuildSession`."""
        return await self._client().sync_directory(
            name=name,
            destination_fd=destination_fd,
            include=include,
            exclude=exclude,
            follow_paths=follow_paths,
            previous=previous,
            progress=progress,
        )

    async def secret(self, secret_id: str) -> bytes:
        """Return a secret of the client."""
        if self._session is None:
            raise NotFound(f"this build has no secret {secret_id[:80]}")
        return await self._session.secret(secret_id)

    async def credentials(self, host: str) -> tuple[str, str] | None:
        """Return the client's credentials for a registry."""
        return await self._session.credentials(host) if self._session is not None else None

    def ssh_agent(self, agent_id: str) -> AbstractAsyncContextManager[Path]:
        """Serve a unix socket that leads to the client's ssh agent."""
        return self._client().ssh_agent(agent_id)

    def content_store(self, store_id: str) -> ContentStore:
        """Return one of the client's content stores."""
        return self._client().content_store(store_id)

    async def send_file(self, chunks: AsyncIterator[bytes], metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Send an exporter's file to the client."""
        await self._client().send_file(chunks, metadata, exporter=exporter)

    async def send_directory(self, root_fd: int, metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Send the content of a directory to the client."""
        await self._client().send_directory(root_fd, metadata, exporter=exporter)
