"""Options of API calls: one struct per call, shared by command line, dashboard and server.

Calls whose options are sent as JSON take the body itself, which the model defines: `CreateBody`,
`UpdateBody`, `NetworkBody`, `ConnectBody`, `VolumeBody`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pyd_core.model.container_config import ContainerConfig

Pairs = Mapping[str, str]


class CommitOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of an image made from a container."""

    repository: str = ""
    """Empty leaves the image without a name."""
    tag: str = ""
    comment: str = ""
    author: str = ""
    pause: bool = True
    """Pause the container meanwhile."""
    changes: tuple[str, ...] = ()
    """Dockerfile instructions, such as `CMD ["sh"]`."""
    config: ContainerConfig = ContainerConfig()
    """Merged over the container's configuration."""


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of an image made from an archive."""

    source: str = "-"
    """A URL that the engine fetches; `-` is the archive sent along."""
    repository: str = ""
    tag: str = ""
    message: str = ""
    changes: tuple[str, ...] = ()
    platform: str = ""


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of an image build."""

    tags: tuple[str, ...] = ()
    dockerfile: str = "Dockerfile"
    """Its path in the context."""
    remote: str = ""
    """A URL that the engine fetches the context from; empty: it is sent along."""
    arguments: Mapping[str, str | None] = {}
    """Values of `ARG`; None takes the engine's own."""
    labels: Pairs = {}
    target: str = ""
    """The stage to stop at."""
    no_cache: bool = False
    cache_from: tuple[str, ...] = ()
    pull: bool = False
    """Ask the registry for newer base images."""
    network: str = ""
    platform: str = ""
    quiet: bool = False
    remove: bool = True
    """Remove the containers of steps that succeeded."""
    force_remove: bool = False
    """Also of those that failed."""
    squash: bool = False
    extra_hosts: tuple[str, ...] = ()
    security_options: tuple[str, ...] = ()
    memory: int = 0
    """Bytes."""
    memory_swap: int = 0
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    shm_size: int = 0
    cgroup_parent: str = ""
    ulimits: str = ""
    """JSON, as the Engine API's `ulimits` takes it; empty is none."""
