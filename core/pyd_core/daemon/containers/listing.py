"""Choosing containers by the API's filters, and measuring them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.containers import view
from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.filters import labelled, truth, until
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.model.container import ContainerSummary
from pyd_core.regex import Pattern, compile_pattern

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

STATUSES = {"created", "restarting", "running", "removing", "paused", "exited", "dead"}
HEALTHS = {"none", "starting", "healthy", "unhealthy"}


def choose(daemon: Daemon, filters: Mapping[str, list[str]], *, all_: bool) -> list[Container]:
    """Returns the containers that pass, newest first; without `all_` and a filter on status only running ones.

    Raises:
        InvalidInput: A filter is unknown, or its value makes no sense.
    """
    found = daemon.containers.all()
    if not all_ and "status" not in filters and "exited" not in filters:
        found = [each for each in found if each.record.running or each.record.status == "restarting"]
    for name, values in filters.items():
        test = _test(daemon, name, values)
        found = [each for each in found if test(each)]
    return found


def _test(daemon: Daemon, name: str, values: list[str]) -> Callable[[Container], bool]:  # noqa: C901, PLR0911, PLR0912 - a table
    match name:
        case "id":
            return lambda each: any(each.id.startswith(value) for value in values)
        case "name":
            patterns = [_pattern(value) for value in values]
            return lambda each: any(
                pattern.search(each.record.name) or pattern.search(f"/{each.record.name}") for pattern in patterns
            )
        case "label":
            return lambda each: all(labelled(each.record.config.labels, value) for value in values)
        case "status":
            unknown = set(values) - STATUSES
            if unknown:
                raise InvalidInput(f"invalid filter 'status={min(unknown)}'")
            return lambda each: each.record.status in values
        case "exited":
            codes = {_whole(value) for value in values}
            return lambda each: each.record.status == "exited" and each.record.exit_code in codes
        case "health":
            unknown = set(values) - HEALTHS
            if unknown:
                raise InvalidInput(f"unrecognized filter value for health: {min(unknown)[:40]}")
            return lambda each: (each.health.status if each.health else "none") in values
        case "ancestor":
            ids = _ancestors(daemon, values)
            return lambda each: each.record.image_id in ids
        case "network":
            return lambda each: any(
                value == key or (place.network_id and place.network_id.startswith(value))
                for value in values
                for key, place in each.record.networks.items()
            )
        case "volume":
            return lambda each: any(
                value in {mount.volume, mount.target, mount.source} for value in values for mount in each.record.mounts
            )
        case "publish" | "expose":
            wanted = {value if "/" in value else f"{value}/tcp" for value in values}
            return lambda each: bool(
                wanted
                & ({*each.record.config.exposed_ports} if name == "expose" else {*each.record.host.port_bindings})
            )
        case "before" | "since":
            edge = daemon.containers.find(values[0]).record.created_ns
            return lambda each: (each.record.created_ns < edge) if name == "before" else (each.record.created_ns > edge)
        case "is-task":
            tasks = truth(name, values)
            return lambda _: not tasks
        case "isolation":
            return lambda _: True
        case _:
            raise InvalidInput(f"invalid filter '{name}'")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"invalid filter 'exited={text[:40]}'") from None


def _pattern(text: str) -> Pattern:
    try:
        return compile_pattern(text)
    except InvalidInput as error:
        raise InvalidInput(f"invalid filter 'name={text[:60]}': {error.message}") from error


def _ancestors(daemon: Daemon, values: list[str]) -> set[str]:
    found: set[str] = set()
    for value in values:
        try:
            image = daemon.images.find(value)
        except (NotFound, InvalidInput):
            continue
        found.add(image.id)
        found |= {each.id for each in daemon.images.all() if each.layers[: len(image.layers)] == image.layers}
    return found


def prunable(daemon: Daemon, filters: Mapping[str, list[str]]) -> list[Container]:
    """Returns the containers that a prune removes."""
    unknown = set(filters) - {"until", "label", "label!"}
    if unknown:
        raise InvalidInput(f"invalid filter '{min(unknown)}'")
    edge = until(filters.get("until", []))
    return [
        each
        for each in daemon.containers.all()
        if each.record.status in {"created", "exited", "dead"}
        and (edge is None or each.record.created_ns < edge)
        and all(labelled(each.record.config.labels, value) for value in filters.get("label", []))
        and not any(labelled(each.record.config.labels, value) for value in filters.get("label!", []))
    ]


def sizes(daemon: Daemon, container: Container) -> tuple[int, int]:
    """Bytes in its writable layer, and of all its files."""
    written = tree_size(container.upper)
    return written, written + sum(daemon.images.layers.get(diff_id).size for diff_id in container.record.layers)


def tree_size(path: Path) -> int:
    """Bytes of the files in a directory, each counted once."""
    seen: set[int] = set()
    total = 0
    for directory, _, files in os.walk(path):
        for name in files:
            try:
                status = os.lstat(os.path.join(directory, name))  # noqa: PTH118 - walked by the thousand
            except FileNotFoundError:
                continue
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                total += status.st_size
    return total


def sized(daemon: Daemon, container: Container) -> ContainerSummary:
    """Its line in a list, measured."""
    written, whole = sizes(daemon, container)
    return msgspec.structs.replace(view.summary(daemon, container), size_rw=written, size_root_fs=whole)
