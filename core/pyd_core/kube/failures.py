"""Errors of the Kubernetes API in the project's error tree."""

from __future__ import annotations

import msgspec

from pyd_core.errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    NotFound,
    PydError,
    Refused,
    Unsupported,
)
from pyd_core.kube.model.status import ApiStatus
from pyd_core.sanitise import safe

MAX_MESSAGE_BYTES = 600


class ListExpired(EngineError):
    """The position in a list or watch is too old; `next` continues the list, inconsistently."""

    reference = "list-expired"

    def __init__(self, message: str, *, next: str = "") -> None:
        super().__init__(message, status=410)
        self.next = next


def parse_status(body: bytes) -> ApiStatus | None:
    """Return the Status object in an answer; None for other answers, such as a proxy's page."""
    try:
        status = msgspec.json.decode(body, type=ApiStatus)
    except (msgspec.DecodeError, RecursionError):
        return None
    return status if status.status or status.code or status.reason or status.message else None


def error_from(code: int, body: bytes, *, where: str) -> PydError:
    """Map an answer of the API server to an error.

    Args:
        code: The HTTP status.
        body: A Status object, or text of a kubelet or proxy.
        where: The API server's name in messages.
    """
    status = parse_status(body)
    text = status.message if status is not None else body[:MAX_MESSAGE_BYTES].decode(errors="replace")
    message = safe(" ".join(text.split()))[:MAX_MESSAGE_BYTES] or f"{where} answered with status {code}"
    return status_error(code, message, status or ApiStatus())


def status_error(code: int, message: str, status: ApiStatus) -> PydError:
    """Return the error for a status code and a Status object."""
    error: PydError
    match code:
        case 400 | 422 | 406 | 415:
            error = InvalidInput(message, reference="cluster-rejected")
        case 401:
            error = Refused(
                f"the cluster rejects these credentials: {message}",
                hint="log in again, or check the user in the kubeconfig",
                reference="cluster-credentials",
            )
        case 403:
            error = Refused(message, hint="ask for a role that allows it", reference="cluster-forbidden")
        case 404:
            error = NotFound(message)
        case 405 | 501:
            error = Unsupported(message)
        case 409:
            error = Conflict(message)
        case 410:
            error = ListExpired(message, next=status.metadata.next)
        case 429 | 502 | 503 | 504:
            error = EngineUnavailable(message, hint="it is overloaded, or a part of it is down")
        case _:
            error = EngineError(message, status=code)
    return error
