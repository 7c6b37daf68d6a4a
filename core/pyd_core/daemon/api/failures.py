"""The mapping of errors to HTTP statuses."""

from __future__ import annotations

import errno
import functools
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from pyd_core.daemon.api.http import HandlerResult, HttpRequest, Response
from pyd_core.errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    KernelError,
    NotFound,
    PydError,
    Refused,
    Unsupported,
)

Context = TypeVar("Context")
_Handler = Callable[[Context, HttpRequest], Awaitable[Response]]

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[PydError], int], ...] = (
    (InvalidInput, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 403),
    (Unsupported, 501),
    (EngineUnavailable, 503),
    (KernelError, 500),
)


def status_of(error: PydError) -> int:
    """Return the API's status for an error."""
    if isinstance(error, EngineError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def describe(error: Exception) -> str:
    """Return the message for a client, with what to do next where that is known."""
    if isinstance(error, PydError):
        return f"{error.message}: {error.hint}" if error.hint else error.message
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space left on device: {error.filename or 'the data directory is full'}"
    log.error("request failed", exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        about = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        return f"{error.strerror.lower()}{about}"
    return f"internal error: {type(error).__name__}: {error}: the engine's log says where"


def with_plain_errors(handler: _Handler[Context]) -> _Handler[Context]:
    """Respond to a handler's errors with plain text, which clients that take the connection over expect."""

    @functools.wraps(handler)
    async def answer(context: Context, request: HttpRequest) -> Response:
        try:
            return await handler(context, request)
        except PydError as error:
            body = f"{describe(error)}\r\n".encode()
            return HandlerResult(status=status_of(error), body=body, kind="application/vnd.docker.raw-stream")

    return answer


def failure(error: Exception) -> HandlerResult:
    """Return the API's response for an error."""
    if isinstance(error, RecursionError):
        error = InvalidInput("it is nested too deeply")
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        error = InvalidInput(f"file name too long: {os.fsdecode(error.filename or '')[:256]}")
    status = status_of(error) if isinstance(error, PydError) else 500
    return HandlerResult(status=status, body=msgspec.json.encode({"message": describe(error)}))
