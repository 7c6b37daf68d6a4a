"""Requests and responses as handlers see them, independent of their transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from pyd_core.daemon.api.bodies import check_content_type, convert, parse
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.booleans import parse_query_bool
from pyd_core.gosyntax.durations import MAX_DIGITS

T = TypeVar("T")

MAX_BODY_BYTES = 8 << 20
"""The limit of a JSON body; an archive is streamed and has no limit here."""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request to the API.

    Attributes:
        params: The path's variable parts, percent-decoded.
        query: The first value of each query parameter.
        many: All values of each query parameter.
        headers: The last value of each header; lower-case names.
        header_lines: All headers, in their order.
        version: The API version the client asked for.
        chunks: The body as it arrives; may be read once.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    many: Mapping[str, list[str]]
    headers: Mapping[str, str]
    header_lines: Sequence[tuple[str, str]] = ()
    version: tuple[int, int]
    chunks: Callable[[], AsyncIterator[bytes]]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Read a boolean parameter; absent, empty, `0`, `no`, `false` and `none` are false, as for Docker Engine."""
        if name not in self.query:
            return default
        return parse_query_bool(self.query[name])

    def number(self, name: str) -> int | None:
        """Read a whole number; None when absent or empty.

        Raises:
            InvalidInput: It is not one.
        """
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            if len(text) > MAX_DIGITS:
                raise ValueError  # noqa: TRY301 - the same response
            return int(text)
        except ValueError:
            raise InvalidInput(f"{name} must be a whole number, not {text[:40]!r}") from None

    def filters(self) -> dict[str, list[str]]:
        """Read `filters`: a JSON map from a name to its values, either a list or Docker's older map of booleans.

        Raises:
            InvalidInput: It is neither.
        """
        text = self.query.get("filters", "")
        if not text:
            return {}
        try:
            filters = msgspec.json.decode(text.encode(), type=dict[str, list[str] | dict[str, bool]])
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInput(f"filters: {error}") from error
        return {name: list(values) for name, values in filters.items() if values}

    async def body(self) -> bytes:
        """Read the whole body.

        Raises:
            InvalidInput: It is larger than `MAX_BODY_BYTES`.
        """
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise InvalidInput("the request's body is too large")
            parts.append(chunk)
        return b"".join(parts)

    async def json(self, kind: type[T]) -> T:
        """Decode the body; an empty one counts as an empty object.

        Raises:
            InvalidInput: It is not JSON of that shape, or a text in it holds a null character.
        """
        return convert(await self.plain(kind), kind)

    async def plain(self, kind: type) -> Any:
        """Parse the body into plain data, with field names as a type has them.

        Raises:
            InvalidInput: It is not declared as JSON, or isn't any.
        """
        check_content_type(self.headers)
        return parse(await self.body(), kind)


@dataclass(frozen=True, kw_only=True)
class HandlerResult:
    """A complete response: status, body and extra headers."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


EMPTY = HandlerResult(status=204)
NOT_MODIFIED = HandlerResult(status=304)


@dataclass(frozen=True, kw_only=True)
class StreamingResponse:
    """A response whose head is sent immediately and whose body follows in pieces.

    The iterator is closed when the client goes away.
    """

    chunks: AsyncIterator[bytes]
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    done: Callable[[], object] = lambda: None
    """Called once the response has ended in any way, also before its first piece."""


@dataclass(frozen=True, kw_only=True)
class Hijack:
    """A response that takes the connection over; it is closed when `serve` returns."""

    serve: Callable[[UpgradedConnection], Awaitable[None]]
    tty: bool = False
    head: bytes = b""
    """Sent in place of the usual head."""
    done: Callable[[], None] = lambda: None
    """Called once the response has ended in any way, also where `serve` was never called."""


@dataclass(frozen=True, kw_only=True)
class CancelOnDisconnect:
    """A slow response that is only worth its work while the client waits; cancelled when the client leaves."""

    work: Coroutine[Any, Any, HandlerResult | StreamingResponse]


Response = HandlerResult | StreamingResponse | Hijack | CancelOnDisconnect
