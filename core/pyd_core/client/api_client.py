"""The Engine API over a transport: version, query, JSON and errors. Noun objects stand on this."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, overload
from urllib.parse import quote, urlencode

import msgspec

from pyd_core.client.capabilities import Capability, capabilities, lacking
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
"""Docker Engine 20.10 and Podman 4: the oldest that still tell all this client relies on."""

LAST_KNOWN_API = (1, 52)
"""Docker Engine 29: up to it engines are known to serve `NEWEST_API`; newer ones are asked what their oldest is."""

ANSWER_TIMEOUT = 30.0
"""Seconds an engine may take to answer an ordinary question before it counts as not answering."""

CONFLICT_CAUSES = frozenset({"container state improper", "that name is already in use"})
"""Podman's causes for what Docker Engine calls a conflict (containers/podman and containers/storage, `errors.go`)."""

NOT_MODIFIED = 304
"""What starting a container that runs, or stopping one that doesn't, is answered with."""

Query = Mapping[str, str | int | bool | Mapping[str, object] | Sequence[str] | None]
"""None leaves a parameter out; a mapping is sent as JSON, as `filters` is; a sequence is a parameter for each item."""


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


class _Served(msgspec.Struct):
    """What an engine says of its API."""

    oldest: str = msgspec.field(name="MinAPIVersion", default="")


class ApiClient:
    """One engine's API: adds the negotiated version, encodes queries, decodes JSON and raises the project's errors.

    Args:
        transport: The way to the engine.
        where: What messages call it.
        read_only: Refuse every request that would change something, before anything is sent.
    """

    def __init__(self, transport: Transport, *, where: str = "the engine", read_only: bool = False) -> None:
        self.transport = transport
        self.where = where
        self.read_only = read_only
        self._version: str | None = None
        self.ping_headers: Mapping[str, str] = {}

    async def negotiate(self) -> str:
        """Ask the engine for its API version, once, and return the one both speak, such as `1.45`.

        Calls that overlap may each ask: they get the same answer, and nobody has to wait for another's. A connection
        that fails later makes the next call ask again, for the engine that comes back may be another version.

        Raises:
            Unsupported: The engine is older than `OLDEST_API`, or speaks no Docker Engine API.
            EngineUnavailable: It doesn't answer.
        """
        if self._version is None:
            answer = await self.transport.request(
                ApiRequest(method="GET", target="/_ping", headers={}, timeout=ANSWER_TIMEOUT)
            )
            if answer.status != 200:
                raise _error(answer)
            theirs = _parse_version(answer.headers.get("api-version", ""))
            if theirs < OLDEST_API:
                spoken = ".".join(map(str, theirs)) if theirs != (0, 0) else "no known version"
                oldest = ".".join(map(str, OLDEST_API))
                raise Unsupported(
                    f"{self.where} speaks {spoken} of the Docker Engine API; pyd needs {oldest} or newer",
                    hint="update the engine (Docker Engine 20.10 or Podman 4 suffice), or choose another with --host",
                    reference="api-too-old",
                )
            chosen = min(theirs, NEWEST_API)
            if theirs > LAST_KNOWN_API:
                chosen = max(chosen, await self._oldest_served())
            version = ".".join(map(str, chosen))
            self.ping_headers = answer.headers
            self._version = version
            return version
        return self._version

    async def _oldest_served(self) -> tuple[int, int]:
        """Ask an engine for its `MinAPIVersion`: without a version in its path the request is served by any."""
        request = ApiRequest(method="GET", target="/version", headers={}, timeout=ANSWER_TIMEOUT)
        answer = await self.transport.request(request)
        if answer.status != 200:
            raise _error(answer)
        return _parse_version(decode(answer.body, _Served, what="the engine's version").oldest)

    def renegotiate(self) -> None:
        """Has the next call ask anew what the engine speaks and can do: it has become a member of a swarm, say."""
        self._version = None

    def require_changes(self) -> None:
        """Does nothing where things may be changed.

        Raises:
            Refused: Here they may not.
        """
        if self.read_only:
            raise Refused(
                "read-only: nothing is changed on this engine",
                hint="leave --read-only out to allow it",
                reference="read-only",
            )

    async def speaks(self, major: int, minor: int) -> bool:
        """Tells whether the negotiated API version is at least this one."""
        return _parse_version(await self.negotiate()) >= (major, minor)

    async def can(self, capability: Capability) -> bool:
        """Tells whether the engine has a capability."""
        await self.negotiate()
        return capability in capabilities(self.ping_headers)

    async def require(self, capability: Capability) -> None:
        """Does nothing on an engine that has a capability.

        Raises:
            Unsupported: This one hasn't.
        """
        if not await self.can(capability):
            raise lacking(capability, self.where)

    @asynccontextmanager
    async def _forgetful(self) -> AsyncIterator[None]:
        """Forget the version when the engine is lost."""
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
        timeout: float | None = ANSWER_TIMEOUT,  # noqa: ASYNC109 - bounds the engine's answer, not this coroutine
    ) -> Response:
        """Send a request and return the answer if it is a good one.

        Args:
            method: HTTP method.
            path: Path below the version, segments already quoted (see `segment`).
            query: Parameters.
            body: Sent as JSON.
            raw: Sent as it is; with neither the request has no body.
            headers: Added to the request.
            timeout: Seconds until the answer must begin; None waits for ever.

        Raises:
            PydError: The category the engine's status stands for.
        """
        request = await self._request(method, path, query, body=body, raw=raw, headers=headers, timeout=timeout)
        async with self._forgetful():
            answer = await self.transport.request(request)
        if answer.status >= 300 and answer.status != NOT_MODIFIED:
            raise _error(answer)
        return answer

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
        """Post to `path` and return the body of the answer."""
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
        """Send a request and hand over the answer's body as it arrives."""
        request = await self._request(method, path, query, body=body, raw=raw, headers=headers)
        async with self._forgetful(), self.transport.stream(request) as stream:
            if stream.status >= 300:
                text = b"".join([chunk async for chunk in stream.chunks()])
                raise _error(Response(status=stream.status, headers=stream.headers, body=text))
            yield stream

    async def upgrade(self, path: str, query: Query | None = None, *, body: object = None) -> Duplex:
        """Post to `path` and take the raw connection over."""
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        request = await self._request("POST", path, query, body=body, headers=headers)
        async with self._forgetful():
            result = await self.transport.upgrade(request)
        if isinstance(result, Response):
            if result.status >= 400:
                raise _error(result)
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
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - handed on
    ) -> ApiRequest:
        if not _only_reads(method, path, query or {}):
            self.require_changes()
        version = await self.negotiate()
        sent = dict(headers or {})
        content: bytes | AsyncIterable[bytes] = b"" if raw is None else raw
        if body is not None:
            content = encode(body)
            sent["Content-Type"] = "application/json"
        target = f"/v{version}{path}{_query(query or {})}"
        return ApiRequest(method=method, target=target, headers=sent, body=content, timeout=timeout)


_READING = re.compile(r"/containers/[^/]+/(?:wait|attach)")


def _only_reads(method: str, path: str, query: Query) -> bool:
    """Whether a request changes nothing: everything that is fetched, waiting, and attaching without input."""
    if method in {"GET", "HEAD"}:
        return True
    return method == "POST" and _READING.fullmatch(path) is not None and not query.get("stdin")


def segment(name: str) -> str:
    """Quote a name for use as one segment of a path: nothing in it can reach another endpoint.

    Engines tidy a path after unquoting it, so what looks like a way up or an empty step is refused here.
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


def _error(answer: Response) -> PydError:
    """Map a status of the Engine API to the error tree."""
    cause = ""
    try:
        said = msgspec.json.decode(answer.body, type=_Message)
        message, cause = said.message, said.cause
    except (msgspec.DecodeError, RecursionError):
        message = answer.body[:200].decode(errors="replace").strip()
    message = safe(" ".join(message.split())) or f"the engine answered with status {answer.status}"
    if answer.status < 400:
        return ProtocolError(f"the engine redirects to {answer.headers.get('location', 'another place')}")
    if answer.status == 400:
        if message.startswith("client version ") and "too old" in message:
            return Unsupported(message, hint="update pyd: this engine is newer than it", reference="api-too-new")
        return InvalidInput(message, reference="engine-rejected")
    kind = Conflict if cause in CONFLICT_CAUSES else _CATEGORIES.get(answer.status)
    return EngineError(message, status=answer.status) if kind is None else kind(message)
