"""Builds from end to end: session, control connection, solve."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyd_core.buildkit.client.auth import AuthService, FindCredentials
from pyd_core.buildkit.client.file_send import FileSendService
from pyd_core.buildkit.client.file_sync import FileSyncService
from pyd_core.buildkit.client.layouts import write_indexes
from pyd_core.buildkit.client.request import CONTEXT, BuildRequest, BuildResult
from pyd_core.buildkit.client.secrets import SecretsService
from pyd_core.buildkit.client.session import ClientSession, SessionService
from pyd_core.buildkit.client.solve import OnProgress, Solve
from pyd_core.buildkit.client.ssh_agent import SshService
from pyd_core.buildkit.client.upload import UploadService

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel
    from pyd_core.buildkit.rpc.duplex import DuplexConnection


class Builder(Protocol):
    """An engine's BuildKit, to which connections can be opened."""

    async def channel(self) -> DuplexChannel:
        """Open a control connection."""
        ...

    async def session(self, session_id: str, *, name: str, shared_key: str, methods: Sequence[str]) -> DuplexConnection:
        """Open a session's connection."""
        ...


async def run_build(
    builder: Builder,
    request: BuildRequest,
    *,
    on_progress: OnProgress,
    credentials: FindCredentials = lambda _: None,
    uploads: UploadService | None = None,
    more_services: Sequence[SessionService] = (),
    drive: Callable[[Solve, DuplexChannel, ClientSession], Awaitable[BuildResult]] | None = None,
) -> BuildResult:
    """Build.

    Args:
        builder: Where.
        request: What.
        on_progress: Called for each message about its steps.
        credentials: Looks credentials for registries up.
        uploads: Streams that the request's attributes refer to.
        more_services: Further services of the session.
        drive: Runs the solve; by default the builder's front end does all of it.

    Raises:
        BuildFailed: A step failed.
        PydError: The builder refused the build, or the connection was lost.
    """
    services: list[SessionService] = [
        FileSyncService(request.directories),
        AuthService(credentials),
        SecretsService(request.secrets),
        FileSendService(request.outputs),
        uploads or UploadService(),
        *more_services,
    ]
    if request.agents:
        services.append(SshService(request.agents))
    shared_key = context_key(request.directories.get(CONTEXT))

    async def open_session(session_id: str, methods: Sequence[str]) -> DuplexConnection:
        name = request.directories.get(CONTEXT, Path("build")).name
        return await builder.session(session_id, name=name, shared_key=shared_key, methods=methods)

    async with AsyncExitStack() as stack:
        channel = await builder.channel()
        stack.push_async_callback(channel.aclose)
        session = await stack.enter_async_context(ClientSession(open_session, services))
        solve = Solve(channel, session.id, request, on_progress)
        result = await (drive(solve, channel, session) if drive is not None else solve.run())
    write_indexes(request, result)
    return result


def context_key(directory: Path | None) -> str:
    """Return the key under which the builder keeps what was sent of a directory: the same for later builds of it."""
    if directory is None:
        return ""
    text = f"{os.uname().nodename}\0{os.getuid()}\0{directory.absolute()}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
