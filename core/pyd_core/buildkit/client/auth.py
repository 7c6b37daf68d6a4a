"""`Auth`: the user's registry credentials for the builder.

Only `Credentials` is served. The other methods let a client fetch tokens for the builder; a builder whose client
doesn't offer them fetches its own (moby/buildkit, `util/resolver/authorizer.go`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.proto import auth_grpc, auth_pb2
from pyd_core.errors import PydError

if TYPE_CHECKING:
    from grpclib.server import Stream

PUBLIC_REGISTRY_HOST = "registry-1.docker.io"
"""The host that serves `docker.io`."""

FindCredentials = Callable[[str], tuple[str, str] | None]
"""Returns user name and secret for a registry's domain; an empty user name marks an identity token."""


class AuthService(auth_grpc.AuthBase):
    """Answers from the user's credential store.

    Args:
        find: Looks credentials up.
    """

    METHODS = ("/moby.filesync.v1.Auth/Credentials",)

    def __init__(self, find: FindCredentials) -> None:
        self._find = find

    async def Credentials(self, stream: Stream[Any, Any]) -> None:
        """Return the credentials for a host; empty ones without a login there."""
        request = await stream.recv_message()
        host = request.Host if request is not None else ""
        try:
            credentials = await asyncio.to_thread(self._find, "docker.io" if host == PUBLIC_REGISTRY_HOST else host)
        except PydError as error:
            raise GRPCError(Status.INTERNAL, error.message) from error
        username, secret = credentials or ("", "")
        await stream.send_message(auth_pb2.CredentialsResponse(Username=username, Secret=secret))

    async def FetchToken(self, stream: Stream[Any, Any]) -> None:  # noqa: ARG002
        """Refuse: the builder fetches tokens."""
        raise _not_served()

    async def GetTokenAuthority(self, stream: Stream[Any, Any]) -> None:  # noqa: ARG002
        """Refuse: the builder fetches tokens."""
        raise _not_served()

    async def VerifyTokenAuthority(self, stream: Stream[Any, Any]) -> None:  # noqa: ARG002
        """Refuse: the builder fetches tokens."""
        raise _not_served()


def _not_served() -> GRPCError:
    return GRPCError(Status.UNIMPLEMENTED, "this client fetches no tokens")
