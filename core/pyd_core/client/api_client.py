"""HTTP client of the Engine API: version, query, JSON and errors. The `…Api` classes use it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, overload
from urllib.parse import quote, urlencode

import msgspec

from pyd_core.client.capabilities import Capability, capabilities, missing_capability
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream, Transport
from pyd_core.errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    NotFound,
    ProtocolError,
    PydError,
    Refused,
    Unsupported,
)
from pyd_core.model.base import decode, encode
from pyd_core.sanitise import safe

T = TypeVar("T")

NEWEST_API = (1, 45)
"""What this client is written against; `tests/engine/spec` holds the contract."""
OLDEST_API = (1, 41)
"""Docker Engine 20.10 and Podman 4: the oldest versions with everything this client relies on."""

LAST_KNOWN_API = (1, 52)
"""Docker Engine 29: engines up to this version serve `NEWEST_API`; newer ones are asked for their oldest version."""

RESPONSE_TIMEOUT_S = 30.0
"""Seconds an engine may take to respond to an ordinary request."""

CONFLICT_CAUSES = frozenset({"container state improper", "that name is already in use"})
"""Podman's causes for what Docker Engine calls a conflict (containers/podman and containers/storage, `errors.go`)."""

NOT_MODIFIED = 304
"""The status of starting a running container, and of stopping a stopped one."""

Query = Mapping[str, str | int | bool | Mapping[str, object] | Sequence[str] | None]
"""None leaves a parameter out; a mapping is sent as JSON, as `filters` is; a sequence is a parameter for each item."""

Headers = Mapping[str, str | tuple[str, ...]]
"""A header with several values is sent once for each."""

_CATEGORIES: Mapping[int, type[PydError]] = {
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    501: Unsupported,
}


class _Message(msgspec.Struct):
    """An engine's error body; `cause` is Podman's addition."""

    message: str = ""
    cause: str = ""


class _ServerVersion(msgspec.Struct):
    """An engine's description of its API."""

    oldest: str = msgspec.field(name="MinAPIVersion", default="")


class ApiClient:
    """A client of one engine: adds the API version, encodes queries, decodes JSON and raises the project's errors.

    Args:
        transport: The connection to the engine.
        where: The engine's name in messages.
        read_only: Refuse every request that would change something before sending it.
    """

    def __init__(self, transport: Transport, *, where: str = "the engine", read_only: bool = False) -> None:
        self.transport = transport
        self.where = where
        self.read_only = read_only
        self._version: str | None = None
        self.ping_headers: Mapping[str, str] = {}

    async def negotiate(self) -> str:
        """Return the newest API version that both sides speak, such as `1.45`; the engine is asked once.

        Overlapping calls may each ask: they get the same response, and none waits for another. After a failed
        connection the next call asks again, since the engine may come back in another version.

        Raises:
            Unsupported: The engine is older than `OLDEST_API`, or speaks no Docker Engine API.
            EngineUnavailable: It doesn't respond.
        """
        if self._version is None:
            response = await self.transport.request(
                ApiRequest(method="GET", target="/_ping", headers={}, timeout=RESPONSE_TIMEOUT_S)
            )
            if response.status != 200:
                raise _error_from(response)
            server_version = _parse_version(response.headers.get("api-version", ""))
            if server_version < OLDEST_API:
                spoken = ".".join(map(str, server_version)) if server_version != (0, 0) else "no known version"
                oldest = ".".join(map(str, OLDEST_API))
                raise Unsupported(
                    f"{self.where} speaks {spoken} of the Docker Engine API; pyd needs {oldest} or newer",
                    hint="update the engine (Docker Engine 20.10 or Podman 4 suffice), or choose another with --host",
                    reference="api-too-old",
                )
            chosen = min(server_version, NEWEST_API)
            if server_version > LAST_KNOWN_API:
                chosen = max(chosen, await self._fetch_oldest_version())
            version = ".".join(map(str, chosen))
            self.ping_headers = response.headers
            self._version = version
            return version
        return self._version

    async def _fetch_oldest_version(self) -> tuple[int, int]:
        """Return the engine's `MinAPIVersion`; a request without a version in its path works with any engine."""
        request = ApiRequest(method="GET", target="/version", headers={}, timeout=RESPONSE_TIMEOUT_S)
        response = await self.transport.request(request)
        if response.status != 200:
            raise _error_from(response)
        return _parse_version(decode(response.body, _ServerVersion, what="the engine's version").oldest)

    def renegotiate(self) -> None:
        """Query version and capabilities again on the next call, for example after the engine joined a swarm."""
        self._version = None

    def require_writable(self) -> None:
        """Check that changes are allowed.

        Raises:
            Refused: The client is read-only.
        """
        if self.read_only:
            raise Refused(
                "read-only: nothing is changed on this engine",
                hint="leave --read-only out to allow it",
                reference="read-only",
            )

    async def supports_version(self, major: int, minor: int) -> bool:
        """Return whether the negotiated API version is at least this one."""
        return _parse_version(await self.negotiate()) >= (major, minor)

    async def can(self, capability: Capability) -> bool:
        """Return whether the engine has a capability."""
        await self.negotiate()
        return capability in capabilities(self.ping_headers)

    async def require(self, capability: Capability) -> None:
        """Require a capability of the engine.

        Raises:
            Unsupported: The engine lacks it.
        """
        if not await self.can(capability):
            raise missing_capability(capability, self.where)

    @asynccontextmanager
    async def _reset_version_on_loss(self) -> AsyncIterator[None]:
        """Forget the negotiated version when the connection to the engine is lost."""
        try:
            yield
        except EngineUnavailable:
            self._version = None
            raise

    async def send(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        raw: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = RESPONSE_TIMEOUT_S,  # noqa: ASYNC109 - bounds the engine's response, not this coroutine
    ) -> Response:
        """Send a request and return the response if its status is a success.

        Args:
            method: HTTP method.
            path: Path without the version, segments already quoted (see `segment`).
            query: Parameters.
            body: Sent as JSON.
            raw: Sent unchanged; without `body` and `raw` the request has no body.
            headers: Added to the request.
            timeout: Seconds until the response must start; None waits for ever.

        Raises:
            PydError: The error class for the response's status.
        """
        request = await self._request(method, path, query, body=body, raw=raw, headers=headers, timeout=timeout)
        async with self._reset_version_on_loss():
            response = await self.transport.request(request)
        if response.status >= 300 and response.status != NOT_MODIFIED:
            raise _error_from(response)
        return response

    @overload
    async def get(self, path: str, kind: type[T], query: Query | None = None) -> T: ...
    @overload
    async def get(self, path: str, kind: Any, query: Query | None = None) -> Any: ...
    async def get(self, path: str, kind: Any, query: Query | None = None) -> Any:
        """Fetch `path` and decode it as `kind`."""
        return decode((await self.send("GET", path, query)).body, kind, what=f"answer to GET {path}")

    async def post(
        self, path: str, query: Query | None = None, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Post to `path` and return the body of the response."""
        return (await self.send("POST", path, query, body=body, headers=headers, timeout=None)).body

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        raw: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Stream]:
        """Send a request and yield the response, whose body is read as it arrives."""
        request = await self._request(method, path, query, body=body, raw=raw, headers=headers)
        async with self._reset_version_on_loss(), self.transport.stream(request) as stream:
            if stream.status >= 300:
                text = b"".join([chunk async for chunk in stream.chunks()])
                raise _error_from(Response(status=stream.status, headers=stream.headers, body=text))
            yield stream

    async def upgrade(
        self,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        protocol: str = "tcp",
        headers: Headers | None = None,
    ) -> Duplex:
        """Post to `path` and take over the raw connection.

        Args:
            path: As for `send`.
            query: As for `send`.
            body: Sent as JSON.
            protocol: What is spoken on the connection then.
            headers: Added to the request.
        """
        sent_headers = {"Connection": "Upgrade", "Upgrade": protocol, **(headers or {})}
        request = await self._request("POST", path, query, body=body, headers=sent_headers)
        async with self._reset_version_on_loss():
            result = await self.transport.upgrade(request)
        if isinstance(result, Response):
            if result.status >= 400:
                raise _error_from(result)
            raise ProtocolError(f"{self.where} answered {result.status} instead of handing the connection over")
        return result

    async def _request(
        self,
        method: str,
        path: str,
        query: Query | None,
        *,
        body: object = None,
        raw: bytes | AsyncIterable[bytes] | None = None,
        headers: Headers | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - passed on
    ) -> ApiRequest:
        if not _is_read_only(method, path, query or {}):
            self.require_writable()
        version = await self.negotiate()
        sent_headers: dict[str, str | tuple[str, ...]] = dict(headers or {})
        content: bytes | AsyncIterable[bytes] = b"" if raw is None else raw
        if body is not None:
            content = encode(body)
            sent_headers["Content-Type"] = "application/json"
        target = f"/v{version}{path}{_query(query or {})}"
        return ApiRequest(method=method, target=target, headers=sent_headers, body=content, timeout=timeout)


_READ_ONLY_POST = re.compile(r"/containers/[^/]+/(?:wait|attach)")


def _is_read_only(method: str, path: str, query: Query) -> bool:
    """Return whether a request changes nothing: a GET or HEAD, a wait, or an attach without input."""
    if method in {"GET", "HEAD"}:
        return True
    return method == "POST" and _READ_ONLY_POST.fullmatch(path) is not None and not query.get("stdin")


def segment(name: str) -> str:
    """Quote a name for use as one segment of a path, so that it can't address another endpoint.

    Engines normalise a path after unquoting it, so `..` and empty segments are refused here.
    """
    if any(step in {"", ".", ".."} for step in name.split("/")):
        raise InvalidInput(f"not a name: {name!r}")
    return quote(name, safe="")


def _query(query: Query) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((name, "1" if value else "0"))
        elif isinstance(value, Mapping):
            pairs.append((name, encode(value).decode()))
        elif isinstance(value, str | int):
            pairs.append((name, str(value)))
        else:
            pairs += ((name, item) for item in value)
    return f"?{urlencode(pairs)}" if pairs else ""


def _parse_version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    try:
        return int(major), int(minor)
    except ValueError:
        return 0, 0


_LONG_ID = re.compile(r"(?<![0-9a-f:])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])")
"""An id in an engine's message, which is shortened as in lists; digests keep their digits."""


def _error_from(response: Response) -> PydError:
    """Map a status of the Engine API to the error tree."""
    cause = ""
    try:
        document = msgspec.json.decode(response.body, type=_Message)
        message, cause = document.message, document.cause
    except (msgspec.DecodeError, RecursionError):
        message = response.body[:200].decode(errors="replace").strip()
    message = safe(_LONG_ID.sub(r"\1", " ".join(message.split())))
    message = message or f"the engine answered with status {response.status}"
    if response.status < 400:
        return ProtocolError(f"the engine redirects to {response.headers.get('location', 'another place')}")
    if response.status == 400:
        if message.startswith("client version ") and "too old" in message:
            return Unsupported(message, hint="update pyd: this engine is newer than it", reference="api-too-new")
        return InvalidInput(message, reference="engine-rejected")
    kind = Conflict if cause in CONFLICT_CAUSES else _CATEGORIES.get(response.status)
    return EngineError(message, status=response.status) if kind is None else kind(message)
