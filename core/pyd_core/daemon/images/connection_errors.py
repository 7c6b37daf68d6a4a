"""Error messages for failed connections: the cause below an HTTP client's error, and a hint."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pyd_core.errors import EngineError


@contextmanager
def translate_errors(server: str, *, certificate: str = "") -> Iterator[None]:
    """Translate errors that an HTTP client raises in the block.

    Args:
        server: The server in messages: `registry HOST:PORT`, or an address.
        certificate: The path for a trusted certificate; empty if there is no such path.

    Raises:
        EngineError: The server can't be reached, or closed the connection.
    """
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        cause, hint = _explain(error, certificate)
        raise EngineError(f"{server}: {cause}", hint=hint) from error


def _explain(error: Exception, certificate: str) -> tuple[str, str]:
    """Return the cause, and a hint; the hint is empty if there is none."""
    if isinstance(error, httpx.TimeoutException):
        return "it doesn't answer in time", ""
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                # Docker Engine's message, which scripts look for
                return f"dial tcp: lookup{_host_suffix(error)}: no such host", "check its spelling and /etc/resolv.conf"
            case ssl.SSLCertVerificationError():
                hint = f"put the certificate to trust into {certificate}" if certificate else ""
                return f"its certificate is not trusted: {cause.verify_message}", hint
            case ssl.SSLError():
                return f"TLS failed: {(cause.reason or 'no reason given').lower().replace('_', ' ')}", ""
            case OSError() if cause.errno:
                return os.strerror(cause.errno).lower(), ""
            case _:
                pass
    return str(error) or "the connection was closed", ""


def _host_suffix(error: Exception) -> str:
    """Return the host of the request, which after a redirect isn't the registry."""
    try:
        return f" {error.request.url.host}" if isinstance(error, httpx.RequestError) else ""
    except RuntimeError:  # the error has no request
        return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all its causes, including the error for each address that was tried."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for nested in error.exceptions:
            yield from _causes(nested)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _causes(cause)
