"""What an engine can do. Callers ask for a capability; which product and version has it is known here alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pyd_core.errors import Unsupported


class Capability(Enum):
    """Something not every engine can do; the value says it in words, for `this engine can't …`."""

    BUILDKIT = "build with BuildKit"
    CHECKPOINT = "checkpoint containers"
    LIBPOD = "answer Podman's own API (pods, play kube)"
    SWARM = "join a swarm"
    SWARM_MANAGER = "manage the services of a swarm"


def capabilities(ping: Mapping[str, str]) -> frozenset[Capability]:
    """Read what an engine can do from the headers of its answer to `GET /_ping`.

    Docker Engine sends `Swarm` (`inactive`, or `active/manager` and the like), `Builder-Version` (2 is BuildKit) and
    `Docker-Experimental`, which its checkpoints need (Engine API, `SystemPing`). Podman sends `Libpod-Api-Version`;
    it calls itself experimental always, and makes checkpoints through its own API only.

    Args:
        ping: The headers, names in lower case.
    """
    libpod = bool(ping.get("libpod-api-version"))
    swarm = ping.get("swarm", "")
    found = {
        Capability.BUILDKIT: ping.get("builder-version") == "2",
        Capability.CHECKPOINT: ping.get("docker-experimental") == "true" and not libpod,
        Capability.LIBPOD: libpod,
        Capability.SWARM: bool(swarm),
        Capability.SWARM_MANAGER: swarm == "active/manager",
    }
    return frozenset(capability for capability, there in found.items() if there)


def lacking(capability: Capability, where: str) -> Unsupported:
    """The error for a capability an engine hasn't got."""
    return Unsupported(
        f"the engine at {where} can't {capability.value}",
        hint="choose another engine with --host or --context",
        reference="engine-lacks-capability",
    )
