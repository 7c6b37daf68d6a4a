"""Errors between pyd and an engine: what happened and what to do, one line each."""

from __future__ import annotations

import errno

from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import EngineUnavailable, ProtocolError, PydError, Refused, StreamInterrupted


def describe_endpoint(endpoint: Endpoint) -> str:
    """Return an endpoint's address and how it was chosen."""
    return f"{endpoint.url} ({endpoint.origin})" if endpoint.origin else endpoint.url


def unreachable(number: int | None, text: str, endpoint: Endpoint) -> PydError:
    """Map the errno of a failed connection, or else its text."""
    where = describe_endpoint(endpoint)
    if number in {errno.EACCES, errno.EPERM}:
        return Refused(
            f"no permission on the engine's socket {where}",
            hint="run as root, or join the socket's group: sudo usermod -aG docker $USER, then log in again",
            reference="engine-permission",
        )
    if number in {errno.ENOENT, errno.ENOTDIR}:
        return EngineUnavailable(
            f"no engine at {where}: no such socket", hint="start the engine, or name another with --host or --context"
        )
    if number == errno.ECONNREFUSED:
        start = "start the engine: systemctl start docker"
        hint = start if endpoint.is_local else "check the port, and that the engine there listens on it"
        return EngineUnavailable(f"no engine answers at {where}: connection refused", hint=hint)
    return EngineUnavailable(f"no engine answers at {where}: {text}", hint="check the address and that the engine runs")


def timed_out(endpoint: Endpoint, seconds: float | None) -> EngineUnavailable:
    """Return the error for an engine that accepted a connection but didn't respond in time."""
    bound = "" if seconds is None else f" within {seconds:g} s"
    return EngineUnavailable(
        f"the engine at {describe_endpoint(endpoint)} did not answer{bound}",
        hint="it is overloaded or hangs: look at its log (journalctl -u docker)",
        reference="engine-timeout",
    )


def closed_early(endpoint: Endpoint) -> EngineUnavailable:
    """Return the error for a connection closed before a response, as servers do for missing certificates too."""
    hint = "check that it still runs and that the address is an engine's"
    if endpoint.is_plain_tcp:
        hint += "; if it wants TLS, set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
    elif endpoint.scheme in {"tcp", "https"}:
        hint += "; if it asks for a client certificate, put cert.pem and key.pem in the folder of DOCKER_CERT_PATH"
    return EngineUnavailable(
        f"the engine at {describe_endpoint(endpoint)} closed the connection without an answer",
        hint=hint,
        reference="no-answer",
    )


def interrupted(endpoint: Endpoint) -> StreamInterrupted:
    """Return the error for a connection that ended in the middle of a response."""
    return StreamInterrupted(
        f"the engine at {describe_endpoint(endpoint)} stopped answering", hint="check that it still runs"
    )


def not_http(endpoint: Endpoint, text: str) -> ProtocolError:
    """Return the error for a server that doesn't speak HTTP as the Engine API needs it."""
    return ProtocolError(
        f"what answers at {describe_endpoint(endpoint)} is no engine: {text[:120]}",
        hint="check the address; name another with --host or --context",
        reference="not-an-engine",
    )


def tls_required(endpoint: Endpoint) -> EngineUnavailable:
    """Return the error for a plain request to a port that speaks TLS."""
    return EngineUnavailable(
        f"the engine at {describe_endpoint(endpoint)} wants TLS, and none was asked for",
        hint="set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
        reference="tls-mismatch",
    )
