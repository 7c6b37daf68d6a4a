"""Capabilities of engines. Only this module knows which product and version has one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pyd_core.errors import Unsupported


class Capability(Enum):
    """A feature that not every engine has; the value completes the sentence `this engine can't …`."""

    BUILDKIT = "build with BuildKit"
    CHECKPOINT = "checkpoint containers"
    KUBERNETES = "answer the Kubernetes API"
    LIBPOD = "answer Podman's own API (pods, play kube)"
    SWARM = "join a swarm"
    SWARM_MANAGER = "manage the services of a swarm"


def capabilities(ping: Mapping[str, str]) -> frozenset[Capability]:
    """Return an engine's capabilities, from the headers of its response to `GET /_ping`.

    Docker Engine sends `Swarm` (`inactive`, or `active/manager` and the like), `Builder-Version` (2 is BuildKit) and
    `Docker-Experimental`, which its checkpoints need (Engine API, `SystemPing`). Podman sends `Libpod-Api-Version`.
    It always calls itself experimental, and checkpoints only through its own API.

    Args:
        ping: The headers, with lower-case names.
    """
    libpod = bool(ping.get("libpod-api-version"))
    swarm = ping.get("swarm", "")
    support = {
        Capability.BUILDKIT: ping.get("builder-version") == "2",
        Capability.CHECKPOINT: ping.get("docker-experimental") == "true" and not libpod,
        Capability.LIBPOD: libpod,
        Capability.SWARM: bool(swarm),
        Capability.SWARM_MANAGER: swarm == "active/manager",
    }
    return frozenset(capability for capability, supported in support.items() if supported)


def missing_capability(capability: Capability, where: str) -> Unsupported:
    """Return the error for a capability that an engine lacks."""
    return Unsupported(
        f"the engine at {where} can't {capability.value}",
        hint="choose another engine with --host or --context",
        reference="engine-lacks-capability",
    )
