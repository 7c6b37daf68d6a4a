"""Errors of ssh as the project's errors."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.failures import describe_endpoint
from pyd_core.errors import EngineUnavailable, PydError, Refused
from pyd_core.sanitise import safe

UNREACHABLE_PHRASES = (
    "connection refused",
    "timed out",
    "could not resolve",
    "no route to host",
    "network is unreachable",
    "connection closed",
    "connection reset",
)


def from_stderr(text: str, endpoint: Endpoint) -> PydError:
    """Map what ssh printed before it ended (OpenSSH, `ssh.c`, `sshconnect.c`, `sshconnect2.c`)."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = safe(lines[-1]) if lines else "ssh ended without a word"
    where, by_hand = describe_endpoint(endpoint), f"ssh {_host(endpoint)}"
    low = text.lower()
    if "remote host identification has changed" in low:
        return Refused(
            f"{where} is not the host ssh knows by that name: its key has changed",
            hint=f"find out why; if it is right, ssh-keygen -R {_host(endpoint)} and connect once by hand",
            reference="ssh-host-key-changed",
        )
    if "host key verification failed" in low or "host key is known" in low:
        return Refused(
            f"{where} is unknown to ssh: its host key was never accepted",
            hint=f"connect once by hand and compare the key: {by_hand}",
            reference="ssh-host-key-unknown",
        )
    if "permission denied (" in low or "too many authentication failures" in low:
        return Refused(
            f"{where} does not let us in: {last}",
            hint=f"make {by_hand} work without a password: ssh-add, or IdentityFile in ~/.ssh/config",
            reference="ssh-authentication",
        )
    hint = f"check that this works: {by_hand}"
    if any(word in low for word in UNREACHABLE_PHRASES):
        return EngineUnavailable(f"can't reach {where}: {last}", hint=hint, reference="ssh-unreachable")
    return EngineUnavailable(f"ssh to {where} failed: {last}", hint=hint, reference="ssh-failed")


def no_engine(endpoint: Endpoint, probed: Mapping[str, str], path: str) -> PydError:
    """The host lets us in, and there is no engine we could use."""
    where = describe_endpoint(endpoint)
    if "socket" in probed:
        return EngineUnavailable(
            f"no engine answers on {probed['socket']} at {where}",
            hint="start it there, and see that sshd allows stream forwarding (AllowStreamLocalForwarding)",
            reference="ssh-no-answer",
        )
    if "denied" in probed:
        return Refused(
            f"no permission on the engine's socket {probed['denied']} at {where}",
            hint="connect as another user, or there: sudo usermod -aG docker $USER",
            reference="engine-permission",
        )
    if path not in {"", "/"}:
        return EngineUnavailable(f"no socket {path} at {where}", hint="check the path", reference="ssh-no-engine")
    return EngineUnavailable(
        f"no engine at {where}: neither a socket nor a docker command",
        hint="install Docker Engine or Podman there, or name its socket: ssh://host/path/to.sock",
        reference="ssh-no-engine",
    )


def too_many(endpoint: Endpoint, limit: int) -> Refused:
    """Every stream needs a session of its own, and the host allows only so many."""
    return Refused(
        f"more than {limit} streams at once to {describe_endpoint(endpoint)}",
        hint="raise MaxSessions in its sshd_config, or name the engine's socket: ssh://host/var/run/docker.sock",
        reference="ssh-too-many-streams",
    )


def _host(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.url)
    user = f"{parts.username}@" if parts.username else ""
    port = f"-p {parts.port} " if parts.port else ""
    return f"{port}{user}{parts.hostname}"
