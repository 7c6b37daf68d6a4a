"""A build as its user describes it, on a command line or in a bake file."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class BuildDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `docker buildx build`, as users write them.

    Attributes:
        context: A directory, a URL, or `-` for standard input.
        dockerfile: The Dockerfile, relative to the working directory or else the context. `-` is standard input.
        dockerfile_text: The Dockerfile itself, in place of a file.
        arguments: Build arguments by name.
        no_cache_filter: Stages that are built without the cache.
        contexts: Additional contexts by name.
        cache_from: Caches to import, such as `type=registry,ref=app:cache`.
        cache_to: Caches to export.
        secrets: Secrets, such as `id=token,src=token.txt`.
        ssh: ssh agents, such as `default`.
        outputs: Outputs, such as `type=local,dest=out`.
        attestations: Attestations by type, such as `provenance`, with their attributes.
        allow: Entitlements, such as `network.host`.
        shm_size: Bytes; 0 is the builder's default.
    """

    context: str = "."
    dockerfile: str = ""
    dockerfile_text: str | None = None
    tags: tuple[str, ...] = ()
    arguments: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    annotations: tuple[str, ...] = ()
    target: str = ""
    platforms: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    pull: bool = False
    network: str = ""
    extra_hosts: tuple[str, ...] = ()
    shm_size: int = 0
    ulimits: tuple[str, ...] = ()
    cgroup_parent: str = ""
    contexts: Mapping[str, str] = {}
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    attestations: Mapping[str, str] = {}
    allow: tuple[str, ...] = ()
    push: bool = False
    load: bool = False
