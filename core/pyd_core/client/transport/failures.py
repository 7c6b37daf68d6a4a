"""What goes wrong between pyd and an engine, as the project's errors: what happened and what to do, a line each."""

from __future__ import annotations

import errno

from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import EngineUnavailable, ProtocolError, PydError, Refused, StreamInterrupted


def place(endpoint: Endpoint) -> str:
    """Name an endpoint and how it was chosen."""
    return f"{endpoint.url} ({endpoint.origin})" if endpoint.origin else endpoint.url


def unreachable(number: int | None, text: str, endpoint: Endpoint) -> PydError:
    """Map the errno of a failed connection, or else its text."""
    where = place(endpoint)
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


def silent(endpoint: Endpoint, seconds: float | None) -> EngineUnavailable:
    """The engine accepted a connection and then said nothing for too long."""
    bound = "" if seconds is None else f" within {seconds:g} s"
    return EngineUnavailable(
        f"the engine at {place(endpoint)} did not answer{bound}",
        hint="it is overloaded or hangs: look at its log (journalctl -u docker)",
        reference="engine-timeout",
    )


def hung_up(endpoint: Endpoint) -> EngineUnavailable:
    """The connection ended before an answer began; servers do that to plain requests or missing certificates too."""
    hint = "check that it still runs and that the address is an engine's"
    if endpoint.is_plain_tcp:
        hint += "; if it wants TLS, set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
    elif endpoint.scheme in {"tcp", "https"}:
        hint += "; if it asks for a client certificate, put cert.pem and key.pem in the folder of DOCKER_CERT_PATH"
    return EngineUnavailable(
        f"the engine at {place(endpoint)} closed the connection without an answer", hint=hint, reference="no-answer"
    )


def cut(endpoint: Endpoint) -> StreamInterrupted:
    """The connection ended in the middle of an answer."""
    return StreamInterrupted(f"the engine at {place(endpoint)} stopped answering", hint="check that it still runs")


def not_http(endpoint: Endpoint, text: str) -> ProtocolError:
    """What answers doesn't speak HTTP as the Engine API needs it."""
    return ProtocolError(
        f"what answers at {place(endpoint)} is no engine: {text[:120]}",
        hint="check the address; name another with --host or --context",
        reference="not-an-engine",
    )


def wants_tls(endpoint: Endpoint) -> EngineUnavailable:
    """A plain request went to a port that speaks TLS."""
    return EngineUnavailable(
        f"the engine at {place(endpoint)} wants TLS, and none was asked for",
        hint="set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
        reference="tls-mismatch",
    )
