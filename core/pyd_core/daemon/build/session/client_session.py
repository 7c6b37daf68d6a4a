"""A client's session: the connection over which the engine requests files, secrets and credentials of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pyd_core.buildkit.proto.auth_grpc import AuthStub
from pyd_core.buildkit.proto.auth_pb2 import CredentialsRequest
from pyd_core.buildkit.proto.secrets_grpc import SecretsStub
from pyd_core.buildkit.proto.secrets_pb2 import GetSecretRequest
from pyd_core.buildkit.proto.upload_grpc import UploadStub
from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls
from pyd_core.daemon.build.interfaces import SyncedTree
from pyd_core.daemon.build.session.content_store import READ, ContentStore
from pyd_core.daemon.build.session.file_send import send_directory, send_file
from pyd_core.daemon.build.session.file_sync import receive_directory, sync_metadata
from pyd_core.daemon.build.session.ssh_agent import forwarded_agent
from pyd_core.errors import InvalidInput, NotFound, Unsupported

FILE_SYNC = "/moby.filesync.v1.FileSync/DiffCopy"
FILE_SEND = "/moby.filesync.v1.FileSend/DiffCopy"
SECRETS = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
SSH_AGENT = "/moby.sshforward.v1.SSH/ForwardAgent"
MAX_SECRET_BYTES = 500 << 10
"""The bound of BuildKit's clients."""


class RemoteSession:
    """Calls a client's services; implements `BuildSession`.

    Args:
        session_id: As the client named it.
        shared_key: Names the client's directory across its builds.
        methods: Paths of the methods that the client serves, in lower case.
        channel: The connection.
        sockets: The directory for forwarded agents' sockets.
    """

    def __init__(
        self,
        session_id: str,
        *,
        shared_key: str,
        methods: frozenset[str],
        channel: AdoptedChannel,
        sockets: Path,
    ) -> None:
        self.id = session_id
        self.shared_key = shared_key
        self._methods = methods
        self._channel = channel
        self._sockets = sockets

    def serves(self, method: str) -> bool:
        """Return whether the client serves a method."""
        return method.lower() in self._methods

    def _require(self, method: str, what: str) -> None:
        if not self.serves(method):
            raise Unsupported(f"the client of this build {what}", reference="session-lacks-service")

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
        self._require(FILE_SYNC, "sends no directories")
        patterns = {"include-patterns": include, "exclude-patterns": exclude, "followpaths": follow_paths}
        metadata = sync_metadata(name, {key: values for key, values in patterns.items() if values})
        return await receive_directory(self._channel, destination_fd, metadata, previous=previous, progress=progress)

    async def secret(self, secret_id: str) -> bytes:
        """Return a secret.

        Raises:
            NotFound: The client has no such secret.
        """
        if not self.serves(SECRETS):
            raise NotFound(f"the client of this build has no secret {secret_id}")
        with calls():
            data: bytes = (await SecretsStub(self._channel).GetSecret(GetSecretRequest(ID=secret_id))).data
        if len(data) > MAX_SECRET_BYTES:
            raise InvalidInput(f"the secret {secret_id} is larger than {MAX_SECRET_BYTES} bytes")
        return data

    async def credentials(self, host: str) -> tuple[str, str] | None:
        """Return user name and password for a registry; None where the client has none."""
        if not self.serves(CREDENTIALS):
            return None
        with calls():
            response = await AuthStub(self._channel).Credentials(CredentialsRequest(Host=host))
        return (response.Username, response.Secret) if response.Secret else None

    def ssh_agent(self, agent_id: str) -> AbstractAsyncContextManager[Path]:
        """Serve a unix socket that leads to the client's ssh agent."""
        self._require(SSH_AGENT, "forwards no ssh agent")
        return forwarded_agent(self._channel, agent_id or "default", self._sockets)

    def content_store(self, store_id: str) -> ContentStore:
        """Return one of the client's content stores, see `BuildSession`."""
        self._require(READ, "serves no content store")
        return ContentStore(self._channel, store_id)

    async def send_file(self, chunks: AsyncIterator[bytes], metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Send an exporter's file to the client."""
        self._require(FILE_SEND, "takes no exported files")
        await send_file(self._channel, chunks, metadata, exporter=exporter)

    async def send_directory(self, root_fd: int, metadata: Mapping[str, str], *, exporter: int = 0) -> None:
        """Send the content of a directory to the client."""
        self._require(FILE_SEND, "takes no exported files")
        await send_directory(self._channel, root_fd, metadata, exporter=exporter)

    @contextlib.asynccontextmanager
    async def upload(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Receive what the client serves as `http://buildkit-session/PATH`, such as a context from standard input."""
        with calls():
            async with UploadStub(self._channel).Pull.open(metadata=[("urlpath", path)]) as stream:
                await stream.send_request()
                await stream.end()

                async def chunks() -> AsyncIterator[bytes]:
                    while (message := await stream.recv_message()) is not None:
                        yield message.data

                yield chunks()
