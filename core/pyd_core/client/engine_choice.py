"""Choice of the engine that a command uses."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from pyd_core.client.contexts import DEFAULT, Contexts, config_directory, tls_files
from pyd_core.client.endpoint import EMBEDDED_SOCKET, Endpoint, TlsFiles
from pyd_core.errors import InvalidInput, NoEngine

PROBE_TIMEOUT_S = 0.5
"""Seconds. A local socket accepts immediately or never; this bounds one with a full queue."""


def choose_endpoint(
    *, host: str | None = None, context: str | None = None, environ: Mapping[str, str] = os.environ
) -> Endpoint:
    """Return the endpoint to use, from the first of these sources that is set.

    1. `host`, an address.
    2. `context`, a docker context's name.
    3. `DOCKER_HOST`, an address.
    4. `DOCKER_CONTEXT`, else the current docker context, unless that is `default`.
    5. The first of the default sockets of Docker and Podman (see `default_sockets`) that accepts a connection; then the
       embedded engine's, if it runs. If none accepts, the first that exists of Docker's and Podman's, so that its error
       (no permission, connection refused) is reported.

    Nothing is started here: callers that may start the embedded engine do so when `NoEngine` is raised.

    Certificates for TCP come from the context, or from where the docker CLI finds them: `DOCKER_TLS_VERIFY` (any text)
    requires TLS, `DOCKER_TLS` requires TLS that trusts any server, and `DOCKER_CERT_PATH` names the directory with
    `ca.pem`, `cert.pem` and `key.pem`, by default `~/.docker`.

    Raises:
        InvalidInput: Both `host` and `context` are given, or no transport can reach the address.
        NotFound: No such context.
        ConfigError: The docker configuration can't be used.
        NoEngine: No source is set and none of the default sockets exists.
    """
    if host and context:
        raise InvalidInput("both --host and --context are given", hint="give one of them")
    if host:
        return _parse_address(host, environ, origin="--host")
    contexts = Contexts.of_user(environ)
    if context and context != DEFAULT:
        return contexts.get(context).endpoint()
    if environ.get("DOCKER_HOST"):
        return _parse_address(environ["DOCKER_HOST"], environ, origin="DOCKER_HOST")
    if not context:
        current = environ.get("DOCKER_CONTEXT") or contexts.current()
        if current != DEFAULT:
            return contexts.get(current).endpoint()
    return _default_endpoint(environ)


def default_sockets(environ: Mapping[str, str]) -> list[Path]:
    """Return the default sockets of Docker and Podman, of the user and of the system.

    For users other than root their own engine comes first: it is the one they have permission for.
    """
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    own = [
        Path(runtime, "docker.sock"),
        config_directory(environ) / "run/docker.sock",  # Docker Desktop
        Path(runtime, "podman/podman.sock"),
    ]
    system = [Path("/var/run/docker.sock"), Path("/run/podman/podman.sock")]
    return [*system, *own] if os.getuid() == 0 else [system[0], *own, system[1]]


def _default_endpoint(environ: Mapping[str, str]) -> Endpoint:
    candidates = default_sockets(environ)
    existing = [path for path in candidates if _is_socket(path)]
    for path in existing:
        if _accepts(path):
            return Endpoint(url=f"unix://{path}", origin="default socket")
    if _is_socket(EMBEDDED_SOCKET) and _accepts(EMBEDDED_SOCKET):
        return Endpoint(url=f"unix://{EMBEDDED_SOCKET}", origin="embedded engine")
    if existing:
        return Endpoint(url=f"unix://{existing[0]}", origin="default socket")
    raise NoEngine(
        f"no engine found: none of {', '.join(map(str, candidates))} exists",
        hint="start one (systemctl start docker), or name one with --host, --context or DOCKER_HOST",
    )


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except TimeoutError:
            return True  # busy, but it listens
        except OSError:
            return False
    return True


def _parse_address(address: str, environ: Mapping[str, str], *, origin: str) -> Endpoint:
    url = address.strip()
    if "://" not in url:
        if not url.startswith("/") and ":" not in url:
            raise InvalidInput(
                f"not an engine address: {address!r} ({origin})",
                hint="use unix:///path/to.sock, tcp://host:port or ssh://user@host",
            )
        url = f"unix://{url}" if url.startswith("/") else f"tcp://{'localhost' if url.startswith(':') else ''}{url}"
    tls = _environment_tls(environ) if url.startswith(("tcp://", "https://")) else None
    return Endpoint(url=url, tls=tls, origin=origin)


def _environment_tls(environ: Mapping[str, str]) -> TlsFiles | None:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    cert_path = environ.get("DOCKER_CERT_PATH")
    return tls_files(Path(cert_path) if cert_path else config_directory(environ), verify=verify)
