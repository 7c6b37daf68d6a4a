"""Choosing the engine to talk to."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from pyd_core.client.contexts import DEFAULT, Contexts, config_directory, tls_files
from pyd_core.client.endpoint import EMBEDDED_SOCKET, Endpoint, TlsFiles
from pyd_core.errors import InvalidInput, NoEngine

PROBE_TIMEOUT = 0.5
"""Seconds. A local socket accepts at once or never; this bounds one whose queue is full."""


def choose_endpoint(
    *, host: str | None = None, context: str | None = None, environ: Mapping[str, str] = os.environ
) -> Endpoint:
    """Return the engine to use, the first of these that is given.

    1. `host`, an address.
    2. `context`, a docker context's name.
    3. `DOCKER_HOST`, an address.
    4. `DOCKER_CONTEXT`, else the current docker context, unless that is `default`.
    5. The first of the usual sockets of Docker and Podman (see `usual_sockets`) that accepts a connection; then the
       embedded engine's, where that one runs; if none does, the first that exists of Docker's and Podman's, so that its
       error (no permission, nobody listening) is the one reported.

    Nothing is started here: who may start the embedded engine does so when `NoEngine` is raised.

    Certificates for TCP come from the context, or as the docker CLI finds them: `DOCKER_TLS_VERIFY` (any text) asks for
    TLS, `DOCKER_TLS` for TLS that trusts any server, `DOCKER_CERT_PATH` names the folder with `ca.pem`, `cert.pem` and
    `key.pem`, by default `~/.docker`.

    Raises:
        InvalidInput: Both `host` and `context`, or an address no transport can reach.
        NotFound: No such context.
        ConfigError: The docker configuration can't be used.
        NoEngine: Nothing is given and none of the usual sockets exists.
    """
    if host and context:
        raise InvalidInput("both --host and --context are given", hint="give one of them")
    if host:
        return _addressed(host, environ, origin="--host")
    contexts = Contexts.of_user(environ)
    if context and context != DEFAULT:
        return contexts.get(context).endpoint()
    if environ.get("DOCKER_HOST"):
        return _addressed(environ["DOCKER_HOST"], environ, origin="DOCKER_HOST")
    if not context:
        current = environ.get("DOCKER_CONTEXT") or contexts.current()
        if current != DEFAULT:
            return contexts.get(current).endpoint()
    return _usual(environ)


def usual_sockets(environ: Mapping[str, str]) -> list[Path]:
    """Return where engines listen by default: Docker's and Podman's, of the user and of the system.

    A user's own engine comes first where the user is not root: it is the one they may talk to.
    """
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    own = [
        Path(runtime, "docker.sock"),
        config_directory(environ) / "run/docker.sock",  # Docker Desktop
        Path(runtime, "podman/podman.sock"),
    ]
    system = [Path("/var/run/docker.sock"), Path("/run/podman/podman.sock")]
    return [*system, *own] if os.getuid() == 0 else [system[0], *own, system[1]]


def _usual(environ: Mapping[str, str]) -> Endpoint:
    looked = usual_sockets(environ)
    there = [path for path in looked if _is_socket(path)]
    for path in there:
        if _accepts(path):
            return Endpoint(url=f"unix://{path}", origin="default socket")
    if _is_socket(EMBEDDED_SOCKET) and _accepts(EMBEDDED_SOCKET):
        return Endpoint(url=f"unix://{EMBEDDED_SOCKET}", origin="embedded engine")
    if there:
        return Endpoint(url=f"unix://{there[0]}", origin="default socket")
    raise NoEngine(
        f"no engine found: none of {', '.join(map(str, looked))} exists",
        hint="start one (systemctl start docker), or name one with --host, --context or DOCKER_HOST",
    )


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_TIMEOUT)
        try:
            probe.connect(str(path))
        except TimeoutError:
            return True  # busy is not dead
        except OSError:
            return False
    return True


def _addressed(address: str, environ: Mapping[str, str], *, origin: str) -> Endpoint:
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
    folder = environ.get("DOCKER_CERT_PATH")
    return tls_files(Path(folder) if folder else config_directory(environ), verify=verify)
