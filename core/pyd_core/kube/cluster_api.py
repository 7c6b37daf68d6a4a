"""Client of the Kubernetes API: paths, pages, watches and errors."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from pyd_core.client.transport.base import ApiRequest, Response
from pyd_core.errors import EngineUnavailable, InvalidInput, ProtocolError, Refused
from pyd_core.kube.access import ClusterAccess
from pyd_core.kube.connection import ClusterConnection, ClusterStream, RawConnection
from pyd_core.kube.failures import ListExpired, error_from, status_error
from pyd_core.kube.model.meta import ClusterStruct, ListMeta
from pyd_core.kube.model.status import ApiStatus
from pyd_core.model.base import decode, encode
from pyd_core.sanitise import safe

T = TypeVar("T")

PAGE_ITEMS = 500
MAX_PAGES = 2000
"""A server that never ends a list must not fill memory."""
RESPONSE_TIMEOUT_S = 30.0
WATCH_TIMEOUT_S = 300
"""A server ends watches after this time; the next one continues where it ended."""
MAX_EVENT_BYTES = 16 * 2**20
"""One event of a watch. The API server's own limit of an object is about 1.5 MiB."""
MAX_ATTEMPTS = 4
MAX_RETRY_AFTER_S = 30.0
RETRIED = frozenset({429, 502, 503, 504})

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

Query = Mapping[str, str | int | bool | Sequence[str] | None]


class ListPage(ClusterStruct, Generic[T]):
    """A page of a list."""

    metadata: ListMeta = ListMeta()
    items: list[T] = []  # noqa: RUF012 - msgspec copies it


class WatchEvent(msgspec.Struct, frozen=True):
    """Event of a watch."""

    type: str
    """`ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`."""
    object: msgspec.Raw


class ClusterApi:
    """Requests to an API server.

    Args:
        access: The cluster, the user and the namespace.
        read_only: Refuse every request that would change something before sending it.
        may_ask: Whether credential plugins may use the terminal.
    """

    def __init__(self, access: ClusterAccess, *, read_only: bool = False, may_ask: bool = False) -> None:
        self.access = access
        self.read_only = read_only
        self.connection = ClusterConnection(access, may_ask=may_ask)
        self.server_date = ""
        """The date in the server's last answer, in HTTP's form."""

    @property
    def where(self) -> str:
        """The server's name in messages."""
        return self.connection.where

    async def send(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float | None = RESPONSE_TIMEOUT_S,  # noqa: ASYNC109 - bounds the server's response
    ) -> Response:
        """Send a request, again where an overloaded server asks for it, and return a successful response.

        Raises:
            PydError: The error class for the response's status.
        """
        reads = method in {"GET", "HEAD"}
        if not reads and not (query or {}).get("dryRun"):
            self.require_writable()
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        content = b""
        if body is not None:
            content = body if isinstance(body, bytes) else encode(body)
            headers["Content-Type"] = content_type
        request = ApiRequest(
            method=method, target=path + encode_query(query), headers=headers, body=content, timeout=timeout
        )
        for attempt in range(1, MAX_ATTEMPTS + 1):
            response = await self.connection.request(request)
            self.server_date = response.headers.get("date", self.server_date)
            if response.status < 300:
                return response
            error = error_from(response.status, response.body, where=self.where)
            wait_s = retry_delay_s(response, attempt, reads=reads)
            if wait_s is None or attempt == MAX_ATTEMPTS:
                raise error
            await asyncio.sleep(wait_s)
        raise AssertionError  # the last attempt returns or raises

    def require_writable(self) -> None:
        """Check that changes are allowed.

        Raises:
            Refused: The client is read-only.
        """
        if self.read_only:
            raise Refused(
                "read-only: nothing is changed in this cluster",
                hint="leave --read-only out to allow it",
                reference="read-only",
            )

    async def get(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """Fetch an object."""
        return decode((await self.send("GET", path, query)).body, kind, what=f"answer to GET {path}")

    async def pages(
        self, path: str, kind: type[T], query: Query | None = None
    ) -> AsyncIterator[tuple[list[T], ListMeta]]:
        """Yield a list page by page, and continue inconsistently where the server has forgotten the first page's time.

        Raises:
            ListExpired: It has forgotten, and offers no way to continue.
        """
        token = ""
        for _ in range(MAX_PAGES):
            parameters = {**(query or {}), "limit": PAGE_ITEMS, "continue": token or None}
            try:
                answer = await self.send("GET", path, parameters)
            except ListExpired as error:
                if not error.next or error.next == token:
                    raise
                token = error.next
                continue
            page: ListPage[T] = decode(answer.body, _page_type(kind), what="list")
            yield page.items, page.metadata
            token = page.metadata.next
            if not token:
                return
        raise ProtocolError(f"{self.where} never ends the list {safe(path)}")

    async def list(self, path: str, kind: type[T], query: Query | None = None) -> tuple[list[T], str]:
        """Return all items of a list, and its resource version."""
        items: list[T] = []
        version = ""
        async for page, meta in self.pages(path, kind, query):
            items += page
            version = meta.resource_version or version
        return items, version

    async def watch(self, path: str, version: str, query: Query | None = None) -> AsyncIterator[WatchEvent]:
        """Yield the changes of a list after a resource version, until the server ends the watch.

        Raises:
            ListExpired: The server no longer knows the version: list again.
            PydError: The connection or the watch failed.
        """
        parameters = {
            **(query or {}),
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": WATCH_TIMEOUT_S,
        }
        async with self.stream("GET", path, parameters) as stream:
            async for line in lines_of(stream.chunks()):
                event = decode(line, WatchEvent, what="watch")
                if event.type == "ERROR":
                    status = decode(bytes(event.object), ApiStatus, what="watch")
                    raise status_error(status.code, safe(" ".join(status.message.split())), status)
                yield event

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, query: Query | None = None, *, accept: str = "application/json"
    ) -> AsyncIterator[ClusterStream]:
        """Send a request and yield the response, whose body is read as it arrives."""
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        request = ApiRequest(method=method, target=path + encode_query(query), headers=headers, timeout=None)
        async with self.connection.stream(request) as stream:
            if stream.status >= 300:
                raise error_from(stream.status, await stream.body(), where=self.where)
            self.server_date = stream.headers.get("date", self.server_date)
            yield stream

    async def upgrade(self, path: str, query: Query, headers: Mapping[str, str]) -> RawConnection | Response:
        """Ask for the raw connection."""
        request = ApiRequest(
            method="GET", target=path + encode_query(query), headers=headers, timeout=RESPONSE_TIMEOUT_S
        )
        return await self.connection.upgrade(request)

    async def patch(
        self, path: str, body: object, *, content_type: str = MERGE_PATCH, dry_run: bool = False
    ) -> Response:
        """Change an object."""
        query = {"dryRun": "All"} if dry_run else None
        return await self.send("PATCH", path, query, body=body, content_type=content_type)

    async def allowed(self, verb: str, resource: str, *, group: str = "", namespace: str = "", name: str = "") -> bool:
        """Return whether the user may do something; True where the server doesn't say."""
        resource, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
        body = {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": {**attributes, "namespace": namespace, "name": name}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = ApiRequest(method="POST", target=path, headers=headers, body=encode(body), timeout=RESPONSE_TIMEOUT_S)
        response = await self.connection.request(request)  # asks, and changes nothing: allowed in read-only mode too
        if response.status >= 300:
            return True
        review = decode(response.body, _Review, what="access review")
        return review.status.allowed

    async def aclose(self) -> None:
        """Close all connections."""
        await self.connection.aclose()


def _page_type(kind: type[T]) -> type[ListPage[T]]:
    return ListPage[kind]  # type: ignore[valid-type]


class _ReviewStatus(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _ReviewStatus = msgspec.field(default_factory=_ReviewStatus)


def retry_delay_s(response: Response, attempt: int, *, reads: bool) -> float | None:
    """Return how long to wait before the request is sent again; None if it mustn't be.

    429 means that it wasn't processed, so it is always safe to repeat; that of a disruption budget isn't, as it lasts.
    """
    if response.status not in RETRIED or not (reads or response.status == 429):
        return None
    if b"DisruptionBudget" in response.body:
        return None
    text = response.headers.get("retry-after", "")
    asked_s = float(text) if text.isdecimal() and len(text) < 6 else 0.0
    if asked_s > MAX_RETRY_AFTER_S or not (text or response.status == 429):
        return None
    return asked_s or random.uniform(0.1, 0.3) * 2**attempt  # noqa: S311 - spreads clients, guards nothing


async def lines_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of a stream, without empty ones.

    Raises:
        ProtocolError: A line is longer than `MAX_EVENT_BYTES`.
        EngineUnavailable: The stream ended within a line.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            line = b"".join([*parts, piece])
            parts, size = [], 0
            if line.strip():
                yield line
        size += len(rest)
        if size > MAX_EVENT_BYTES:
            raise ProtocolError("the API server sends an event without an end")
        if rest:
            parts.append(rest)
    if b"".join(parts).strip():
        raise EngineUnavailable("the API server stopped in the middle of an event", reference="stream-cut")


def encode_query(query: Query | None) -> str:
    """Encode parameters; None leaves one out, a sequence repeats it."""
    pairs: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif isinstance(value, str | int):
            pairs.append((name, str(value)))
        else:
            pairs += ((name, item) for item in value)
    return f"?{urlencode(pairs)}" if pairs else ""


def path_segment(name: str) -> str:
    """Quote a name for use as one segment of a path, so that it can't address another resource.

    Raises:
        InvalidInput: No object can have that name.
    """
    if name in {"", ".", ".."} or "/" in name or "%" in name:
        raise InvalidInput(f"not a name: {safe(name)!r}")
    return quote(name, safe="")


def object_path(resource: str, *, group: str = "v1", namespace: str = "", name: str = "") -> str:
    """Return the path of a resource or object: `group` is `v1`, or such as `apps/v1`."""
    root = "/api/v1" if group == "v1" else f"/apis/{group}"
    scope = f"/namespaces/{path_segment(namespace)}" if namespace else ""
    return f"{root}{scope}/{resource}" + (f"/{path_segment(name)}" if name else "")
