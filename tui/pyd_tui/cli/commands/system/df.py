"""`pyd system df`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from pyd_core.model.system import DiskUsage
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.listing import TableListing, format_option
from pyd_tui.console.output import write, write_json
from pyd_tui.console.render.docker_words import spell_size


@dataclass(frozen=True, slots=True)
class KindUsage:
    """Disk usage of one kind of object, in bytes."""

    kind: str
    count: int
    active: int
    size: int
    reclaimable: int


def usage_by_kind(usage: DiskUsage) -> list[KindUsage]:
    """Return the disk usage of each kind of object, as the docker CLI counts it."""
    images, containers, volumes, caches = usage.images, usage.containers, usage.volumes, usage.build_cache
    used = sum(max(0, image.size - max(image.shared_size, 0)) for image in images if image.containers > 0)
    running = [container for container in containers if container.state in {"running", "paused", "restarting"}]
    sizes = {id(container): container.size_rw or 0 for container in containers}
    measured = [volume for volume in volumes if volume.usage_data is not None]
    reclaimable = sum(max(0, v.usage_data.size) for v in measured if v.usage_data and not v.usage_data.ref_count)
    return [
        KindUsage(
            "Images", len(images), sum(i.containers > 0 for i in images), usage.layers_size, usage.layers_size - used
        ),
        KindUsage(
            "Containers",
            len(containers),
            len(running),
            sum(sizes.values()),
            sum(sizes.values()) - sum(sizes[id(container)] for container in running),
        ),
        KindUsage(
            "Local Volumes",
            len(volumes),
            sum(bool(v.usage_data and v.usage_data.ref_count > 0) for v in volumes),
            sum(max(0, v.usage_data.size) for v in measured if v.usage_data),
            reclaimable,
        ),
        KindUsage(
            "Build Cache",
            len(caches),
            sum(cache.in_use for cache in caches),
            sum(cache.size for cache in caches),
            sum(cache.size for cache in caches if not cache.in_use and not cache.shared),
        ),
    ]


def _fields(share: KindUsage, full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - nothing to shorten
    percent = f" ({share.reclaimable * 100 // share.size}%)" if share.size else ""
    return {
        "Type": share.kind,
        "TotalCount": str(share.count),
        "Active": str(share.active),
        "Size": spell_size(share.size),
        "Reclaimable": f"{spell_size(share.reclaimable)}{percent}",
    }


LISTING = TableListing(
    fields=_fields,
    titles={
        "Type": "TYPE",
        "TotalCount": "TOTAL",
        "Active": "ACTIVE",
        "Size": "SIZE",
        "Reclaimable": "RECLAIMABLE",
    },
    shown=("Type", "TotalCount", "Active", "Size", "Reclaimable"),
    right=frozenset({"TotalCount", "Active", "Size"}),
    identity="Type",
)


@click.command(
    "df",
    cls=PydCommand,
    examples=(("pyd system df", "show usage by kind"), ("pyd system df -v", "show the usage of each object")),
)
@click.option("-v", "--verbose", is_flag=True, help="Show each object separately.")
@format_option
@pass_state
def command(state: State, /, *, verbose: bool, format: str) -> None:
    """Show disk usage of the engine, and how much can be reclaimed."""
    usage = state.ask(lambda engine: engine.system.disk_usage())
    if state.json:
        write_json(usage)
        return
    LISTING.write(state, usage_by_kind(usage), quiet=False, full=True, format=format)
    if verbose:
        objects = [
            *(("image", (item.repo_tags or [item.id[7:19]])[0], item.size) for item in usage.images),
            *(("container", item.name, item.size_rw or 0) for item in usage.containers),
            *(("volume", item.name, item.usage_data.size if item.usage_data else 0) for item in usage.volumes),
            *(("build cache", item.id[:12], item.size) for item in usage.build_cache),
        ]
        write("\n")
        OBJECTS.write(state, sorted(objects, key=lambda thing: -thing[2]), quiet=False, full=True, format="")


def _object_fields(row: tuple[str, str, int], full: bool) -> Mapping[str, Any]:  # noqa: ARG001 - nothing to shorten
    return {"Kind": row[0], "Name": row[1], "Size": spell_size(row[2])}


OBJECTS = TableListing(
    fields=_object_fields,
    titles={"Kind": "KIND", "Name": "NAME", "Size": "SIZE"},
    shown=("Kind", "Name", "Size"),
    identity="Name",
    right=frozenset({"Size"}),
)
