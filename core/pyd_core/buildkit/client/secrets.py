"""`Secrets`: the contents of `--secret` for RUN steps that mount them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.proto import secrets_grpc, secrets_pb2

if TYPE_CHECKING:
    from grpclib.server import Stream

MAX_SECRET_BYTES = 500 * 1024
"""Bytes of a secret (moby/buildkit, `session/secrets/secretsprovider`)."""


class SecretSource(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a secret: a file or an environment variable."""

    path: Path | None = None
    variable: str | None = None


class SecretsService(secrets_grpc.SecretsBase):
    """Reads secrets when the builder requests them.

    Args:
        sources: Their sources by id.
    """

    METHODS = ("/moby.buildkit.secrets.v1.Secrets/GetSecret",)

    def __init__(self, sources: Mapping[str, SecretSource]) -> None:
        self._sources = sources

    async def GetSecret(self, stream: Stream[Any, Any]) -> None:
        """Return a secret that the build was given."""
        request = await stream.recv_message()
        secret_id = request.ID if request is not None else ""
        source = self._sources.get(secret_id)
        if source is None:
            raise GRPCError(Status.NOT_FOUND, f"secret {secret_id!r}: not found")
        await stream.send_message(secrets_pb2.GetSecretResponse(data=_read(source, secret_id)))


def _read(source: SecretSource, secret_id: str) -> bytes:
    if source.path is not None:
        try:
            with source.path.open("rb") as file:
                data = file.read(MAX_SECRET_BYTES + 1)
        except OSError as error:
            raise GRPCError(Status.NOT_FOUND, f"secret {secret_id!r}: {error.strerror}") from error
    else:
        value = os.environ.get(source.variable or secret_id)
        if value is None:
            raise GRPCError(Status.NOT_FOUND, f"secret {secret_id!r}: its variable isn't set")
        data = os.fsencode(value)
    if len(data) > MAX_SECRET_BYTES:
        raise GRPCError(Status.INVALID_ARGUMENT, f"secret {secret_id!r} has more than {MAX_SECRET_BYTES} bytes")
    return data
