"""Transport of providers that don't speak the Engine API: refuses what they haven't got."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager

from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.errors import Unsupported

_NOUN = re.compile(r"/(?:v\d+\.\d+/)?([a-z_]+)(?:/[^/?]+/([a-z]+))?")


class RefusingTransport:
    """Refuses every request.

    Args:
        where: The provider in messages, such as `the cluster at kube://prod`.
    """

    def __init__(self, where: str) -> None:
        self._where = where

    async def request(self, request: ApiRequest) -> Response:
        """Refuse a request; the version check before it is answered, so that the refusal names the request itself."""
        if request.target == "/_ping":
            return Response(status=200, headers={"api-version": "1.45"}, body=b"")
        raise self._refusal(request)

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Refuse a request."""
        raise self._refusal(request)

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Refuse a request."""
        raise self._refusal(request)

    async def aclose(self) -> None:
        """Do nothing: no connection is open."""

    def _refusal(self, request: ApiRequest) -> Unsupported:
        match = _NOUN.match(request.target)
        noun, verb = match.groups() if match is not None else ("", None)
        what = f"can't {verb} {noun}" if verb and noun == "containers" else f"has no {noun or 'such'} of an engine"
        return Unsupported(
            f"{self._where} {what}",
            hint="choose an engine with --host or --context",
            reference="not-an-engine-provider",
        )
