"""Why a server couldn't be asked, in words: what lies below an HTTP client's failure, and what to do about it."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pyd_core.errors import EngineError


@contextmanager
def reaching(whom: str, *, certificate: str = "") -> Iterator[None]:
    """Words what an HTTP client raises in the block.

    Args:
        whom: Who is asked: `registry HOST:PORT`, or an address.
        certificate: Where a certificate to trust would go; empty where there is no such place.

    Raises:
        EngineError: The server can't be reached, or broke off.
    """
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        why, hint = _why(error, certificate)
        raise EngineError(f"{whom}: {why}", hint=hint) from error


def _why(error: Exception, certificate: str) -> tuple[str, str]:
    """Returns what went wrong, and what to do, empty where that isn't known."""
    if isinstance(error, httpx.TimeoutException):
        return "it doesn't answer in time", ""
    for each in _below(error):
        match each:
            case socket.gaierror():
                return f"the name{_host(error)} can't be resolved", "look at its spelling and at /etc/resolv.conf"
            case ssl.SSLCertVerificationError():
                hint = f"put the certificate to trust into {certificate}" if certificate else ""
                return f"its certificate is not trusted: {each.verify_message}", hint
            case ssl.SSLError():
                return f"TLS failed: {(each.reason or 'no reason told').lower().replace('_', ' ')}", ""
            case OSError() if each.errno:
                return os.strerror(each.errno).lower(), ""
            case _:
                pass
    return str(error) or "the connection broke off", ""


def _host(error: Exception) -> str:
    """The host that was asked, which isn't the registry where that sent us on."""
    try:
        return f" {error.request.url.host}" if isinstance(error, httpx.RequestError) else ""
    except RuntimeError:  # it has none
        return ""


def _below(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and all that caused it; where several addresses were tried, what each came to."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _below(each)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _below(cause)
