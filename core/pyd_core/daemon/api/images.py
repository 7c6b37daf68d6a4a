"""`/images`: list, inspect, tag, remove, load, import."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.api import registries
from pyd_core.daemon.api.encoding import full, json, line
from pyd_core.daemon.api.failures import describe
from pyd_core.daemon.api.http import CancelOnDisconnect, HandlerResult, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.build.remote import ResolvedAddress
from pyd_core.daemon.build.request import failure_record
from pyd_core.daemon.filters import has_label, truth, until
from pyd_core.daemon.images import load as loading
from pyd_core.daemon.images import platforms, tar_writer
from pyd_core.daemon.images import save as save_
from pyd_core.daemon.images.names import familiar_name
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.daemon.rows import show_rows
from pyd_core.errors import Conflict, InvalidInput, NotFound, PydError
from pyd_core.model.base import parse_time
from pyd_core.model.image import Removed
from pyd_core.model.reference import IMAGE_ID, Reference, parse
from pyd_core.regex import Pattern, compile_pattern, escape

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


NULL_WHEN_EMPTY = {"Env", "Volumes", "Entrypoint", "OnBuild", "Labels"}
LEFT_OUT_WHEN_EMPTY = {"ExposedPorts", "Healthcheck", "Shell", "StopSignal", "StopTimeout"}
"""Fields of an image's configuration that are empty, as Docker Engine writes them."""


@route("GET", "/images/json")
async def list_(engine: Engine, request: HttpRequest) -> Response:
    """List images, newest first."""
    filters = request.filters()
    records = choose(engine, filters)
    if not request.flag("all"):  # the steps of builds
        parents = engine.images.parents()
        records = [record for record in records if record.names or record.digests or record.id not in parents]
    counts: dict[str, int] = {}
    for container in engine.containers.all():
        counts[container.record.image_id] = counts.get(container.record.image_id, 0) + 1
    lines = show_rows(records, lambda record: engine.images.summary(record, containers=counts.get(record.id, 0)))
    if "reference" in filters:  # an image has other names too, which weren't requested
        patterns = [_glob(value) for value in filters["reference"]]
        lines = [
            msgspec.structs.replace(line, repo_tags=[tag for tag in line.repo_tags if _any(patterns, tag)])
            for line in lines
        ]
    return json(sorted(lines, key=lambda line: -line.created))


def _any(patterns: list[Pattern], name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns)


def choose(engine: Engine, filters: Mapping[str, list[str]]) -> list[ImageRecord]:
    """Return the images that match the API's filters.

    Raises:
        InvalidInput: A filter is unknown, or its value makes no sense.
    """
    records = engine.images.readable()
    for name, values in filters.items():
        match name:
            case "dangling":
                dangling = truth(name, values)
                parents = engine.images.parents()
                records = [record for record in records if (not record.names and record.id not in parents) == dangling]
            case "label":
                records = [
                    record
                    for record in records
                    if all(has_label(engine.images.labels(record), value) for value in values)
                ]
            case "reference":
                patterns = [_glob(value) for value in values]
                records = [record for record in records if any(_fits(pattern, record) for pattern in patterns)]
            case "before":
                edge = min(_created(engine, engine.images.find(value)) for value in values)
                records = [record for record in records if _created(engine, record) < edge]
            case "since":
                edge = max(_created(engine, engine.images.find(value)) for value in values)
                records = [record for record in records if _created(engine, record) > edge]
            case "until":
                end = min(until([value]) or 0 for value in values)
                records = [record for record in records if _created(engine, record) < end]
            case _:
                raise InvalidInput(f"invalid filter '{name}'")
    return records


def _created(engine: Engine, record: ImageRecord) -> int:
    return parse_time(engine.images.config(record).created) or 0


def _glob(text: str) -> Pattern:
    """Compile a reference filter: `*` and `?` don't cross slashes; without a tag any tag matches."""
    whole = text if ":" in text.rpartition("/")[2] else f"{text}:*"
    parts = {"*": "[^/]*", "?": "[^/]"}
    return compile_pattern("".join(parts.get(char) or escape(char) for char in whole))


def _fits(pattern: Pattern, record: ImageRecord) -> bool:
    return any(pattern.fullmatch(familiar_name(name)) or pattern.fullmatch(name) for name in record.names)


@route("GET", "/images/{name}/json")
async def inspect(engine: Engine, request: HttpRequest) -> Response:
    """Return an image's full inspect data."""
    body = full(engine.images.inspect(engine.images.find(request.params["name"])))
    body["Config"] = {
        key: value or None if key in NULL_WHEN_EMPTY else value
        for key, value in body["Config"].items()
        if value or key not in LEFT_OUT_WHEN_EMPTY
    }
    if not body["Variant"]:
        del body["Variant"]
    return json(body)


@route("GET", "/images/{name}/history")
async def history(engine: Engine, request: HttpRequest) -> Response:
    """List the steps that an image was built by."""
    return json(engine.images.history(engine.images.find(request.params["name"])))


@route("POST", "/images/{name}/tag")
async def tag(engine: Engine, request: HttpRequest) -> Response:
    """Give an image another name."""
    record = engine.images.find(request.params["name"])
    reference = join_reference(request.query.get("repo", ""), request.query.get("tag", ""))
    if reference is None:
        raise InvalidInput("repo is missing")
    engine.image_events.tag(record, reference)
    return HandlerResult(status=201)


def join_reference(repository: str, tag_: str) -> Reference | None:
    """Join repository and tag; None without a repository.

    Raises:
        InvalidInput: They make no name.
    """
    if not repository:
        return None
    reference = parse(f"{repository}:{tag_}" if tag_ else repository)
    if reference.digest:
        raise InvalidInput("refusing to create a tag with a digest reference")
    if reference.familiar == "sha256":
        raise InvalidInput("refusing to create an ambiguous tag using digest algorithm as name")
    return reference


@route("DELETE", "/images/{name}")
async def remove(engine: Engine, request: HttpRequest) -> Response:
    """Remove a name, and the image with its last name."""
    name = request.params["name"]
    if not name.strip():
        raise InvalidInput("image name cannot be blank")
    removed = await engine.image_events.remove(name, force=request.flag("force"), prune=not request.flag("noprune"))
    return json(shown(removed))


def shown(removed: list[Removed]) -> list[dict[str, str]]:
    """Return removals as the API lists them, each with one of two fields."""
    return [{"Deleted": removal.deleted} if removal.deleted else {"Untagged": removal.untagged} for removal in removed]


@route("POST", "/images/prune")
async def prune(engine: Engine, request: HttpRequest) -> Response:
    """Remove images without a name, and with the filter `dangling=false` all that no container uses."""
    filters = request.filters()
    everything = not truth("dangling", filters.pop("dangling", ["true"]))
    excluded = filters.pop("label!", [])
    removed: list[dict[str, str]] = []
    freed = 0
    parents = engine.images.parents()
    sizes = {layer.diff_id: layer.size for layer in engine.images.layers.all()}
    for record in choose(engine, filters):
        if (record.names and not everything) or engine.images.is_needed(record.id):
            continue
        if not record.names and record.id in parents:  # goes with the last image made from it
            continue
        if any(has_label(engine.images.labels(record), value) for value in excluded):
            continue
        gone: list[Removed] = []
        for name in [*record.names] or [record.id]:
            with contextlib.suppress(NotFound, Conflict):  # already removed, or a container uses it by now
                gone += await engine.image_events.remove(name, force=name == record.id)
        freed += sum(sizes.get(removal.deleted, 0) for removal in gone)
        removed += shown(gone)
    swept = await engine.images.sweep()  # of abandoned pulls
    freed += sum(layer.size for layer in swept)
    removed += [{"Deleted": layer.diff_id} for layer in swept]
    engine.events.emit("image", "prune", "", {"reclaimed": str(freed)})
    return json({"ImagesDeleted": removed or None, "SpaceReclaimed": freed})


@route("GET", "/images/{name}/get")
async def save(engine: Engine, request: HttpRequest) -> Response:
    """Save an image."""
    return stream_archive(engine, [request.params["name"]])


@route("GET", "/images/get")
async def save_many(engine: Engine, request: HttpRequest) -> Response:
    """Save several images."""
    return stream_archive(engine, [name for text in request.many.get("names", []) for name in text.split(",")])


def _tags(engine: Engine, name: str) -> list[str]:
    """Return the names that a name stands for: all tags of a repository where it has no tag itself."""
    try:
        reference = parse(name)
    except InvalidInput:
        return [name]
    if reference.digest or ":" in name.rpartition("/")[2] or IMAGE_ID.fullmatch(name):
        return [name]
    return engine.images.tags(reference.repository) or [name]


def stream_archive(engine: Engine, names: list[str]) -> StreamingResponse:
    """Stream images as an archive."""
    named_records = [(tag, engine.images.find(tag)) for name in names for tag in _tags(engine, name)]

    async def chunks() -> AsyncIterator[bytes]:
        async with aclosing(
            tar_writer.stream_tar(lambda packer: save_.write_archive(engine.images, named_records, packer))
        ) as packed:
            async for data in packed:
                yield data
        for record in {record.id: record for _, record in named_records}.values():
            engine.image_events.emit("save", record)

    return StreamingResponse(chunks=chunks(), kind="application/x-tar")


@route("POST", "/images/load")
async def load(engine: Engine, request: HttpRequest) -> Response:
    """Load a saved archive."""

    async def lines() -> AsyncIterator[bytes]:
        try:
            file = await loading.spool(engine.images, request.chunks())
            try:
                on_loaded = partial(engine.image_events.emit, "load")
                async with aclosing(loading.load(engine.images, file, on_loaded=on_loaded)) as texts:
                    async for text in texts:
                        yield line({"stream": text})
            finally:
                file.unlink(missing_ok=True)
        except (PydError, OSError) as error:
            yield error_record(error)

    return StreamingResponse(chunks=lines())


def error_record(error: Exception) -> bytes:
    """Return the record that reports an error in the middle of a stream."""
    return line(failure_record(describe(error)))


@route("POST", "/images/create")
async def create(engine: Engine, request: HttpRequest) -> Response:
    """Pull an image, or import the archive of a root file system."""
    if request.query.get("fromSrc"):
        return _import(engine, request)
    return CancelOnDisconnect(work=registries.pull(engine, request))


def _import(engine: Engine, request: HttpRequest) -> Response:
    source = request.query["fromSrc"]
    reference = join_reference(request.query.get("repo", ""), request.query.get("tag", ""))
    changes = request.many.get("changes", [])
    message = request.query.get("message", "") or f"Imported from {source}"
    platform = _platform(request.query.get("platform", ""))
    address = None if source == "-" else _address(source)

    async def imported(file: Path) -> bytes:
        with contextlib.ExitStack() as spooled:
            spooled.callback(file.unlink, missing_ok=True)
            record = await loading.import_root_fs(
                engine.images, file, reference=reference, changes=changes, message=message, platform=platform
            )
        if reference is not None:
            engine.image_events.emit("tag", record, name=str(reference))
        engine.image_events.emit("import", record)
        return line({"status": record.id})

    async def import_body() -> HandlerResult:
        return HandlerResult(body=await imported(await loading.spool(engine.images, request.chunks())))

    async def download(address: ResolvedAddress) -> AsyncIterator[bytes]:
        try:
            yield line({"status": f"Downloading from {address.url}"})
            yield await imported(await _downloaded(engine, address))
        except (PydError, OSError) as error:
            yield error_record(error)

    # Without a download Docker Engine responds once the image exists, so that clients can use it immediately.
    return CancelOnDisconnect(work=import_body()) if address is None else StreamingResponse(chunks=download(address))


def _platform(text: str) -> dict[str, str]:
    """Read the platform of a configuration.

    Raises:
        InvalidInput: It is none, or no Linux.
    """
    if not text:
        return {}
    system, processor, variant = platforms.parse_platform(text)
    if system != "linux":
        raise InvalidInput("operating system is not supported")
    return {"os": system, "architecture": processor, **({"variant": variant} if variant else {})}


def _address(source: str) -> ResolvedAddress:
    url = source if "://" in source else f"http://{source}"
    address = ResolvedAddress.parse(url)
    if address is None:
        raise InvalidInput(f"can't import from {source[:200]}: only HTTP and HTTPS are served")
    return address


async def _downloaded(engine: Engine, address: ResolvedAddress) -> Path:
    file = engine.images.blobs.create_temporary()
    try:
        await address.fetch(file)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return file
