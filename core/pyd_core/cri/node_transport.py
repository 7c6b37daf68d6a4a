"""The requests of the Engine API that a debug session makes, answered by a node's runtime.

Sessions are written for the Engine API (`debug/resolve.py`). They need only the description of a container here: they
join its processes, or mount its snapshot, without the runtime.
"""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.cri.node_client import NodeClient
from pyd_core.errors import Ambiguous, InvalidInput, NotFound, PydError, Unsupported
from pyd_core.model.base import encode

_TARGET = re.compile(r"(?:/v\d+\.\d+)?/(containers|images)/(?:(json)|([^/]+)/json)")


class NodeTransport:
    """Answers what describes containers, and refuses everything else.

    Args:
        endpoint: The runtime's address.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = NodeClient(endpoint)

    async def request(self, request: ApiRequest) -> Response:
        """Answer a request."""
        parts = urlsplit(request.target)
        if parts.path == "/_ping":
            return _answer(200, b"OK")
        match = _TARGET.fullmatch(parts.path)
        if request.method != "GET" or match is None:
            raise self._refusal()
        kind, is_list, name = match.groups()
        try:
            if is_list and kind == "images":
                body = encode(await self._client.images.list())
            elif is_list:
                everything = parse_qs(parts.query).get("all", ["0"])[0] in {"1", "true", "True"}
                body = encode(await self._client.containers.list(all=everything))
            else:
                described = self._client.images if kind == "images" else self._client.containers
                body = await described.inspect_raw(unquote(name))
        except NotFound as error:
            return _failure(404, error)
        except (Ambiguous, InvalidInput) as error:
            return _failure(400, error)
        return _answer(200, body)

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Refuse a request."""
        del request
        raise self._refusal()

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Refuse a request."""
        del request
        raise self._refusal()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _refusal(self) -> Unsupported:
        return Unsupported(
            f"{self._endpoint.url} is a node: it doesn't offer what only engines can do",
            hint="choose an engine with --host or --context",
            reference="not-an-engine-provider",
        )


def _answer(status: int, body: bytes) -> Response:
    return Response(status=status, headers={"api-version": "1.45", "content-type": "application/json"}, body=body)


def _failure(status: int, error: PydError) -> Response:
    return _answer(status, msgspec.json.encode({"message": error.message}))
