"""Causes that are only known from the error messages of engines and their commands."""

from __future__ import annotations

from pyd_core.triage.causes.cause import Cause

RANK = 65
"""No rule compares these; a message names at most one."""

CAUSES: tuple[Cause, ...] = (
    Cause(
        "pool-overlap",
        "engine",
        RANK,
        "broken",
        "The subnet overlaps with another network's.",
        "Choose a free subnet, or remove the other network.",
    ),
    Cause(
        "no-free-pool",
        "engine",
        RANK,
        "broken",
        "The engine has no address range left for another network.",
        "Remove unused networks, name a subnet (--subnet), or give the engine more default-address-pools.",
    ),
    Cause(
        "network-in-use",
        "engine",
        RANK,
        "broken",
        "Containers are still connected to the network.",
        "Disconnect or remove them first.",
    ),
    Cause(
        "volume-in-use",
        "engine",
        RANK,
        "broken",
        "A container still uses the volume, possibly a stopped one.",
        "Remove that container first.",
    ),
    Cause(
        "image-in-use",
        "engine",
        RANK,
        "broken",
        "A container or another image still uses the image.",
        "Remove that container or image first; --force removes a name only.",
    ),
    Cause(
        "firewall-chain-missing",
        "engine",
        RANK,
        "broken",
        "A firewall was reloaded and removed the engine's chains.",
        "Restart the engine, which creates them again; reload firewalls before it starts.",
    ),
    Cause(
        "no-swarm-manager",
        "engine",
        RANK,
        "broken",
        "The engine isn't a manager of a swarm.",
        "Make it one (`pyd swarm init`), or use a manager.",
    ),
    Cause(
        "api-version",
        "engine",
        RANK,
        "broken",
        "Client and engine share no version of the API.",
        "Upgrade the older of the two; unset DOCKER_API_VERSION if it is set.",
    ),
    Cause(
        "orphan-containers",
        "engine",
        RANK,
        "notice",
        "The project has containers of services that its Compose file no longer has.",
        "Remove them with --remove-orphans, or give each project a name of its own (-p).",
    ),
    Cause(
        "compose-file",
        "engine",
        RANK,
        "broken",
        "The Compose file isn't valid.",
        "Correct the line it names; `pyd compose config` checks the file.",
    ),
)
