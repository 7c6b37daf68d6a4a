"""Lists of containers: the API's filters, and sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.view import ContainerView, ports
from pyd_core.daemon.filters import has_label, truth, until
from pyd_core.daemon.images.layers import LayerStore
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.rows import show_rows
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.linux.tree import tree_size
from pyd_core.model.container import ContainerSummary
from pyd_core.regex import Pattern, compile_pattern

MAX_PORT = 65535
NEVER = "0001-01-01T00:00:00Z"
"""The start time of a container that never started."""
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
STATUSES = {"created", "restarting", "running", "removing", "paused", "exited", "dead"}
HEALTHS = {"none", "starting", "healthy", "unhealthy"}


def choose(
    containers: ContainerLookup, images: ImageStore, filters: Mapping[str, list[str]], *, all_: bool
) -> list[EngineContainer]:
    """Return the containers that match, newest first; without `all_` and a filter on status only running ones.

    As in Docker Engine, values of `publish` and `expose` are alternatives of each other; all other filters must hold.

    Raises:
        InvalidInput: A filter is unknown, or its value makes no sense.
    """
    selected = containers.all()
    if not all_ and "status" not in filters:
        selected = [
            container for container in selected if container.record.running or container.record.status == "restarting"
        ]
    published, exposed = (_ports(name, filters.get(name, [])) for name in ("publish", "expose"))
    if published or exposed:
        selected = [container for container in selected if _has_port(container, published, exposed)]
    for name, values in filters.items():
        if name in {"publish", "expose"}:
            continue
        test = _test(containers, images, name, values)
        selected = [container for container in selected if test(container)]
    return selected


def _has_port(container: EngineContainer, published: set[tuple[int, str]], exposed: set[tuple[int, str]]) -> bool:
    return any(
        (port.public_port, port.type) in published or (port.private_port, port.type) in exposed
        for port in ports(container)
    )


def _ports(name: str, values: list[str]) -> set[tuple[int, str]]:
    """Parse `80`, `8000-8010` and `53/udp`.

    Raises:
        InvalidInput: A value is none of these.
    """
    ports: set[tuple[int, str]] = set()
    for value in values:
        if ":" in value:
            raise InvalidInput(f"filter for '{name}' should not contain ':': {value[:40]}")
        match = _PORTS.fullmatch(value)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if match is None or not low <= high <= MAX_PORT:
            raise InvalidInput(f"error while looking up for {name} {value[:40]}: invalid containerPort: {value[:40]}")
        ports |= {(number, match[3] or "tcp") for number in range(low, high + 1)}
    return ports


def _test(  # noqa: C901, PLR0911, PLR0912 - a table
    containers: ContainerLookup, images: ImageStore, name: str, values: list[str]
) -> Callable[[EngineContainer], bool]:
    match name:
        case "id":
            return lambda container: any(container.id.startswith(value) for value in values)
        case "name":
            patterns = [_pattern(value) for value in values]
            return lambda container: any(
                pattern.search(container.record.name) or pattern.search(f"/{container.record.name}")
                for pattern in patterns
            )
        case "label":
            return lambda container: all(has_label(container.record.config.labels, value) for value in values)
        case "status":
            unknown = set(values) - STATUSES
            if unknown:
                raise InvalidInput(f"invalid filter 'status={min(unknown)}'")
            return lambda container: container.record.status in values
        case "exited":
            codes = {_integer(value) for value in values}
            return lambda container: (
                not container.record.running
                and container.record.status != "restarting"
                and container.record.started_at != NEVER
                and container.record.exit_code in codes
            )
        case "health":
            unknown = set(values) - HEALTHS
            if unknown:
                raise InvalidInput(f"unrecognized filter value for health: {min(unknown)[:40]}")
            return lambda container: (container.health.status if container.health else "none") in values
        case "ancestor":
            ids = _ancestors(images, values)
            return lambda container: container.record.image_id in ids
        case "network":
            return lambda container: any(
                value == key or (endpoint.network_id and endpoint.network_id.startswith(value))
                for value in values
                for key, endpoint in container.record.networks.items()
            )
        case "volume":
            return lambda container: any(
                value in {mount.volume, mount.target, mount.source}
                for value in values
                for mount in container.record.mounts
            )
        case "before" | "since":
            edge = containers.find(values[0]).record.created_ns
            return lambda container: (
                (container.record.created_ns < edge) if name == "before" else (container.record.created_ns > edge)
            )
        case "is-task":
            tasks = truth(name, values)
            return lambda _: not tasks
        case "isolation":
            return lambda _: True
        case _:
            raise InvalidInput(f"invalid filter '{name}'")


def _integer(text: str) -> int:
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
    """Return the named images and those that were built from them.

    Shared layers don't make an image a descendant: two unrelated images may share all of theirs.
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
    ancestors: set[str] = set()
    while pending:
        image_id = pending.pop()
        if image_id not in ancestors:
            ancestors.add(image_id)
            pending += children.get(image_id, [])
    return ancestors


def image_names(images: ImageStore, containers: Iterable[EngineContainer]) -> dict[str, str]:
    """Return the image name that a list shows for each container, by the container's id.

    It is the name in the creation request, or the image's id once that name is gone or belongs to another image.
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
    """Return the containers that a prune removes."""
    unknown = set(filters) - {"until", "label", "label!"}
    if unknown:
        raise InvalidInput(f"invalid filter '{min(unknown)}'")
    edge = until(filters.get("until", []))
    return [
        container
        for container in containers.all()
        if container.record.status in {"created", "exited", "dead"}
        and (edge is None or container.record.created_ns < edge)
        and all(has_label(container.record.config.labels, value) for value in filters.get("label", []))
        and not any(has_label(container.record.config.labels, value) for value in filters.get("label!", []))
    ]


def sizes(layers: LayerStore, container: EngineContainer) -> tuple[int, int]:
    """Return the sizes of a container's writable layer and of all its files."""
    written = tree_size(container.upper)
    return written, written + sum(layers.get(diff_id).size for diff_id in container.record.layers)


def lines(
    view: ContainerView, images: ImageStore, containers: Sequence[EngineContainer], *, size: bool = False
) -> list[ContainerSummary]:
    """Return the containers' lines in a list, with their sizes if `size` is set."""
    names = image_names(images, containers)

    def line(container: EngineContainer) -> ContainerSummary:
        summary = msgspec.structs.replace(view.summary(container), image=names[container.id])
        if not size:
            return summary
        written, total = sizes(images.layers, container)
        return msgspec.structs.replace(summary, size_rw=written, size_root_fs=total)

    return show_rows(containers, line)
