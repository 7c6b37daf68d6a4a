"""Choosing containers by the API's filters, and measuring them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.view import ContainerView, ports
from pyd_core.daemon.filters import labelled, truth, until
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.rows import shown as shown_rows
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.linux.tree import tree_size
from pyd_core.model.container import ContainerSummary
from pyd_core.regex import Pattern, compile_pattern

MAX_PORT = 65535
NEVER = "0001-01-01T00:00:00Z"
"""When a container started that never did."""
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
STATUSES = {"created", "restarting", "running", "removing", "paused", "exited", "dead"}
HEALTHS = {"none", "starting", "healthy", "unhealthy"}


def choose(
    containers: ContainerLookup, images: ImageStore, filters: Mapping[str, list[str]], *, all_: bool
) -> list[EngineContainer]:
    """Returns the containers that pass, newest first; without `all_` and a filter on status only running ones.

    As on Docker Engine values of `publish` and `expose` are alternatives of each other, all other filters must hold.

    Raises:
        InvalidInput: A filter is unknown, or its value makes no sense.
    """
    found = containers.all()
    if not all_ and "status" not in filters:
        found = [each for each in found if each.record.running or each.record.status == "restarting"]
    published, exposed = (_ports(name, filters.get(name, [])) for name in ("publish", "expose"))
    if published or exposed:
        found = [each for each in found if _has_port(each, published, exposed)]
    for name, values in filters.items():
        if name in {"publish", "expose"}:
            continue
        test = _test(containers, images, name, values)
        found = [each for each in found if test(each)]
    return found


def _has_port(container: EngineContainer, published: set[tuple[int, str]], exposed: set[tuple[int, str]]) -> bool:
    return any(
        (port.public_port, port.type) in published or (port.private_port, port.type) in exposed
        for port in ports(container)
    )


def _ports(name: str, values: list[str]) -> set[tuple[int, str]]:
    """Reads `80`, `8000-8010` and `53/udp`.

    Raises:
        InvalidInput: A value is none of these.
    """
    found: set[tuple[int, str]] = set()
    for value in values:
        if ":" in value:
            raise InvalidInput(f"filter for '{name}' should not contain ':': {value[:40]}")
        match = _PORTS.fullmatch(value)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if match is None or not low <= high <= MAX_PORT:
            raise InvalidInput(f"error while looking up for {name} {value[:40]}: invalid containerPort: {value[:40]}")
        found |= {(number, match[3] or "tcp") for number in range(low, high + 1)}
    return found


def _test(  # noqa: C901, PLR0911, PLR0912 - a table
    containers: ContainerLookup, images: ImageStore, name: str, values: list[str]
) -> Callable[[EngineContainer], bool]:
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
            return lambda each: (
                not each.record.running
                and each.record.status != "restarting"
                and each.record.started_at != NEVER
                and each.record.exit_code in codes
            )
        case "health":
            unknown = set(values) - HEALTHS
            if unknown:
                raise InvalidInput(f"unrecognized filter value for health: {min(unknown)[:40]}")
            return lambda each: (each.health.status if each.health else "none") in values
        case "ancestor":
            ids = _ancestors(images, values)
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
        case "before" | "since":
            edge = containers.find(values[0]).record.created_ns
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


def _ancestors(images: ImageStore, values: list[str]) -> set[str]:
    """Returns the images that are named, and those that were built from them.

    What has the same layers alone isn't built from an image: two images may share all of them and have nothing to do
    with each other.
    """
    children: dict[str, list[str]] = {}
    for image in images.all():
        if image.parent:
            children.setdefault(image.parent, []).append(image.id)
    pending: list[str] = []
    for value in values:
        try:
            pending.append(images.find(value).id)
        except (NotFound, InvalidInput):
            continue
    found: set[str] = set()
    while pending:
        image_id = pending.pop()
        if image_id not in found:
            found.add(image_id)
            pending += children.get(image_id, [])
    return found


def image_names(images: ImageStore, containers: Iterable[EngineContainer]) -> dict[str, str]:
    """Returns what a list shows as each container's image, by the container's id.

    That is the name its creator wrote, or the image's id once that name is gone or means another image.
    """
    ids: dict[str, str] = {}
    shown: dict[str, str] = {}
    for container in containers:
        name, image_id = container.record.image, container.record.image_id
        if name not in ids:
            try:
                ids[name] = images.find(name).id
            except PydError:
                ids[name] = ""
        shown[container.id] = name if ids[name] == image_id else image_id
    return shown


def prunable(containers: ContainerLookup, filters: Mapping[str, list[str]]) -> list[EngineContainer]:
    """Returns the containers that a prune removes."""
    unknown = set(filters) - {"until", "label", "label!"}
    if unknown:
        raise InvalidInput(f"invalid filter '{min(unknown)}'")
    edge = until(filters.get("until", []))
    return [
        each
        for each in containers.all()
        if each.record.status in {"created", "exited", "dead"}
        and (edge is None or each.record.created_ns < edge)
        and all(labelled(each.record.config.labels, value) for value in filters.get("label", []))
        and not any(labelled(each.record.config.labels, value) for value in filters.get("label!", []))
    ]


def sizes(layers: LayerStore, container: EngineContainer) -> tuple[int, int]:
    """Bytes in its writable layer, and of all its files."""
    written = tree_size(container.upper)
    return written, written + sum(layers.get(diff_id).size for diff_id in container.record.layers)


def lines(
    view: ContainerView, images: ImageStore, containers: Sequence[EngineContainer], *, size: bool = False
) -> list[ContainerSummary]:
    """Returns the containers' lines in a list, measured with `size`."""
    names = image_names(images, containers)

    def line(container: EngineContainer) -> ContainerSummary:
        summary = msgspec.structs.replace(view.summary(container), image=names[container.id])
        if not size:
            return summary
        written, total = sizes(images.layers, container)
        return msgspec.structs.replace(summary, size_rw=written, size_root_fs=total)

    return shown_rows(containers, line)
