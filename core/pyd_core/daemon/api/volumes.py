"""`/volumes`: list, create, remove."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyd_core.daemon.api.encoding import json
from pyd_core.daemon.api.http import EMPTY, HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.filters import has_label, truth
from pyd_core.daemon.rows import show_rows
from pyd_core.daemon.volumes import ANONYMOUS, VolumeRecord
from pyd_core.errors import InvalidInput, PydError
from pyd_core.gosyntax.booleans import BOOLS, FILTER_BOOLS
from pyd_core.linux.tree import tree_size
from pyd_core.model.volume import VolumeBody, VolumeList

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


def choose(engine: Engine, filters: Mapping[str, list[str]]) -> list[VolumeRecord]:
    """Return the volumes that match the API's filters.

    Raises:
        InvalidInput: A filter is unknown, or its value makes no sense.
    """
    records = engine.volumes.all()
    for name, values in filters.items():
        if name == "dangling":
            truth(name, values)  # also where there is no volume to compare it with
        tests: dict[str, Callable[[VolumeRecord, list[str]], bool]] = {
            "name": lambda volume, values: any(value in volume.name for value in values),
            "driver": lambda _, values: "local" in values,
            "label": lambda volume, values: all(has_label(volume.labels, value) for value in values),
            "dangling": lambda volume, values: (
                (not engine.containers.using_volume(volume.name)) == FILTER_BOOLS[values[0]]
            ),
        }
        if name not in tests:
            raise InvalidInput(f"invalid filter '{name}'")
        records = [volume for volume in records if tests[name](volume, values)]
    return records


@route("GET", "/volumes")
async def list_(engine: Engine, request: HttpRequest) -> Response:
    """List volumes."""
    records = choose(engine, request.filters())
    return json(VolumeList(volumes=show_rows(records, engine.volumes.view), warnings=[]))


@route("POST", "/volumes/create")
async def create(engine: Engine, request: HttpRequest) -> Response:
    """Create a volume."""
    body = await request.json(VolumeBody)
    record = engine.volumes.create(body.name, driver=body.driver, labels=body.labels, options=body.driver_opts)
    return json(engine.volumes.view(record), status=201)


@route("GET", "/volumes/{name}")
async def inspect(engine: Engine, request: HttpRequest) -> Response:
    """Return a volume's full inspect data."""
    return json(engine.volumes.view(engine.volumes.find(request.params["name"])))


@route("DELETE", "/volumes/{name}")
async def remove(engine: Engine, request: HttpRequest) -> Response:
    """Remove a volume."""
    await engine.volumes.remove(request.params["name"], force=request.flag("force"))
    return EMPTY


def _all(values: list[str]) -> bool:
    """Read the filter `all` of a prune, which accepts other words than the rest.

    Raises:
        InvalidInput: It is neither true nor false, or both.
    """
    if len(values) != 1:
        raise InvalidInput(f"invalid filter 'all=[{' '.join(values)[:80]}]': only one value is expected")
    if values[0] not in BOOLS:
        raise InvalidInput(f"invalid filter 'all': {values[0][:40]!r} is neither true nor false")
    return BOOLS[values[0]]


@route("POST", "/volumes/prune")
async def prune(engine: Engine, request: HttpRequest) -> Response:
    """Remove volumes that no container uses: anonymous ones, and with the filter `all` named ones too."""
    filters = request.filters()
    unknown = set(filters) - {"all", "label", "label!"}
    if unknown:
        raise InvalidInput(f"invalid filter '{min(unknown)}'")
    everything = _all(filters.get("all", ["0"])) or request.version < (1, 42)
    removed: list[str] = []
    freed = 0
    for record in engine.volumes.all():
        matches = everything or ANONYMOUS in record.labels
        matches &= all(has_label(record.labels, value) for value in filters.get("label", []))
        matches &= not any(has_label(record.labels, value) for value in filters.get("label!", []))
        if not matches or engine.containers.using_volume(record.name):
            continue
        size = await asyncio.to_thread(tree_size, engine.volumes.path(record.name))
        try:
            await engine.volumes.remove(record.name)
        except PydError:
            continue
        removed.append(record.name)
        freed += size
    engine.events.emit("volume", "prune", "", {"reclaimed": str(freed)})
    return json({"VolumesDeleted": removed, "SpaceReclaimed": freed})
