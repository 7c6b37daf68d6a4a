"""Removal of unused objects, after listing them and asking."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.global_options import State
from pyd_tui.console.output import write, write_json
from pyd_tui.console.render.docker_words import spell_size

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient

Filters = Mapping[str, list[str]]
KINDS = ("containers", "networks", "volumes", "images", "builds")
MAX_LISTED_NAMES = 20
"""Names listed per kind; the rest are counted."""

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_LABEL = "com.docker.volume.anonymous"


async def candidates(engine: EngineClient, kind: str, *, all: bool, filters: Filters) -> list[str]:
    """Return the names of objects to remove; filters that only pruning supports (`until`) may exclude some of them."""
    supported = {name: values for name, values in filters.items() if name not in {"until", "label!"}}
    match kind:
        case "containers":
            states = {"status": ["created", "exited", "dead"]}
            return [
                container.name for container in await engine.containers.list(all=True, filters={**supported, **states})
            ]
        case "networks":
            networks = await engine.networks.list(filters={**supported, "dangling": ["true"]})
            return [network.name for network in networks]
        case "volumes":
            volumes = await engine.volumes.list(filters={**supported, "dangling": ["true"]})
            return [
                volume.name for volume in volumes if all or _LABEL in volume.labels or _ANONYMOUS.fullmatch(volume.name)
            ]
        case "images":
            return await _images(engine, all=all, filters=supported)
        case _:
            caches = (await engine.system.disk_usage()).build_cache
            return [cache.id for cache in caches if not cache.in_use]


async def _images(engine: EngineClient, *, all: bool, filters: Filters) -> list[str]:
    if not all:
        images = await engine.images.list(filters={**filters, "dangling": ["true"]})
        return [image.id.removeprefix("sha256:")[:12] for image in images]
    used = {image.image_id for image in await engine.containers.list(all=True)}
    unused = [image for image in await engine.images.list(filters=filters) if image.id not in used]
    return [tag for image in unused for tag in image.repo_tags or [image.id.removeprefix("sha256:")[:12]]]


async def prune(engine: EngineClient, kind: str, *, all: bool, filters: Filters) -> tuple[list[str], int]:
    """Remove unused objects of one kind; return their names and the bytes reclaimed."""
    match kind:
        case "containers":
            containers = await engine.containers.prune(filters=filters)
            return containers.containers_deleted, containers.space_reclaimed
        case "networks":
            return (await engine.networks.prune(filters=filters)).networks_deleted, 0
        case "volumes":
            volumes = await engine.volumes.prune(filters=filters, all=all)
            return volumes.volumes_deleted, volumes.space_reclaimed
        case "images":
            image_filters = {**filters, "dangling": ["false" if all else "true"]}
            images = await engine.images.prune(filters=image_filters)
            names = [
                f"untagged: {image.untagged}" if image.untagged else image.deleted for image in images.images_deleted
            ]
            return names, images.space_reclaimed
        case _:
            builds = await engine.images.prune_builds(all=all, filters=filters)
            return builds.caches_deleted, builds.space_reclaimed


def run(
    state: State, kinds: Sequence[str], *, force: bool, filters: Filters, all: bool = False, all_volumes: bool = False
) -> None:
    """List unused objects, ask unless forced, remove them and list what was removed."""

    def includes_all(kind: str) -> bool:
        return all_volumes if kind == "volumes" else all

    async def find_candidates(engine: EngineClient) -> dict[str, list[str]]:
        return {kind: await candidates(engine, kind, all=includes_all(kind), filters=filters) for kind in kinds}

    if not force:
        if state.json or not sys.stdin.isatty():
            raise InvalidInput(
                "can't ask for confirmation: standard input isn't a terminal", hint="use -f", reference="needs-force"
            )
        if not _confirm(state.ask(find_candidates)):
            return

    async def remove(engine: EngineClient) -> dict[str, tuple[list[str], int]]:
        return {kind: await prune(engine, kind, all=includes_all(kind), filters=filters) for kind in kinds}

    removed = state.ask(remove)
    if state.json:
        freed = sum(size for _, size in removed.values())
        write_json({**{kind: names for kind, (names, _) in removed.items()}, "space_reclaimed": freed})
        return
    for kind, (names, _) in removed.items():
        if names:
            write(f"Deleted {kind}:\n" + "".join(f"{safe(name)}\n" for name in names) + "\n")
    write(f"Total reclaimed space: {spell_size(sum(size for _, size in removed.values()))}\n")


def _confirm(names_by_kind: Mapping[str, list[str]]) -> bool:
    if not any(names_by_kind.values()):
        write("nothing to remove\n")
        return False
    for kind, names in names_by_kind.items():
        if names:
            listed = ", ".join(safe(name) for name in names[:MAX_LISTED_NAMES])
            more = f" and {len(names) - MAX_LISTED_NAMES} more" if len(names) > MAX_LISTED_NAMES else ""
            write(f"{kind}: {listed}{more}\n")
    return click.confirm("Remove all of these?", err=True)
