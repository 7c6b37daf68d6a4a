"""The table of routes, including those that this engine doesn't serve."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.daemon.api.http import HandlerResult, HttpRequest, Response
from pyd_core.daemon.api.server import RequestHead
from pyd_core.errors import InvalidInput, NotFound, Unsupported

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

Handler = Callable[["Engine", HttpRequest], Awaitable[Response]]
Dispatch = Callable[["Engine", RequestHead, Callable[[], AsyncIterator[bytes]]], Awaitable[Response]]

NEWEST = (1, 45)
OLDEST = (1, 24)

MAX_VERSION_DIGITS = 9
"""Longest part of a version; Python refuses to read numbers of some thousand digits."""
_VERSION = re.compile(r"/v([0-9]+)\.([0-9]+)(/.*)")


@dataclass(frozen=True)
class ApiRoute:
    """A method and path of the API, and its handler."""

    method: str
    pattern: str
    """As the API's contract writes it: `/containers/{id}/json`."""
    handler: Handler

    def compiled(self) -> re.Pattern[str]:
        """Return the pattern as a regular expression; an image's name may hold slashes, and a link's has one."""
        part = "[^/]+"
        if self.pattern.startswith(("/images/", "/distribution/", "/plugins/")):
            part = ".+"
        elif self.pattern.startswith("/containers/"):
            part = "[^/]+(?:/[^/]+)?"
        return re.compile(re.sub(r"\{(\w+)\}", rf"(?P<\1>{part})", self.pattern))


class Routes:
    """All routes, looked up by method and path."""

    def __init__(self) -> None:
        self.table: list[ApiRoute] = []
        self._compiled: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        """Register the handler below for a method and path of the contract."""

        def keep(handler: Handler) -> Handler:
            route = ApiRoute(method, pattern, handler)
            self.table.append(route)
            self._compiled.append((method, route.compiled(), handler))
            return handler

        return keep

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        """Return the handler of a request and the variable parts of its path.

        Raises:
            NotFound: No such path, or the path doesn't have that method; Docker Engine answers both with 404.
        """
        for known, pattern, handler in self._compiled:
            if known != method and (known, method) != ("GET", "HEAD"):
                continue
            match = pattern.fullmatch(path)
            if match is not None:
                return handler, match.groupdict()
        raise NotFound("page not found")


ROUTES = Routes()
REFUSED: set[tuple[str, str]] = set()
"""Methods and paths of the contract that this engine doesn't serve."""
route = ROUTES.add


def split_version(path: str) -> tuple[tuple[int, int], str]:
    """Split the version off a path; a path without one means the newest.

    Raises:
        InvalidInput: This engine doesn't speak that version.
    """
    match = _VERSION.fullmatch(path)
    if match is None:
        return NEWEST, path
    requested, newest, oldest = (
        f"{match[1]}.{match[2]}"[:40],
        *(".".join(map(str, limit)) for limit in (NEWEST, OLDEST)),
    )
    version = int(match[1][:MAX_VERSION_DIGITS]), int(match[2][:MAX_VERSION_DIGITS])
    if version > NEWEST:
        raise InvalidInput(f"client version {requested} is too new. Maximum supported API version is {newest}")
    if version < OLDEST:
        raise InvalidInput(
            f"client version {requested} is too old. Minimum supported API version is {oldest}, please upgrade "
            "your client to a newer version"
        )
    return version, match[3]


async def dispatch(engine: Engine, head: RequestHead, chunks: Callable[[], AsyncIterator[bytes]]) -> Response:
    """Respond to a request; every path accepts OPTIONS, as in Docker Engine."""
    if head.method == "OPTIONS":
        return HandlerResult(status=200)
    version, path = split_version(head.path)
    handler, params = ROUTES.find(head.method, path)
    return await handler(engine, head.request(params, version, chunks))


def unserved(method: str, pattern: str, hint: str) -> None:
    """Register a part of the contract that this engine refuses with 501, its name and a hint."""

    async def refuse(engine: Engine, request: HttpRequest) -> Response:
        raise Unsupported(f"{method} {pattern} is not served by this engine", hint=hint, reference="not-served")

    ROUTES.add(method, pattern)(refuse)
    REFUSED.add((method, pattern))
