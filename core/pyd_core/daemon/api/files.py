"""`/containers/{id}/archive`, `/changes`, `/export`; `/commit`."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon.api.encoding import json
from pyd_core.daemon.api.http import CancelOnDisconnect, HandlerResult, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.images import join_reference
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.containers import diff, files, paths
from pyd_core.daemon.containers.commit import Origin
from pyd_core.daemon.containers.commit import commit as commit_container
from pyd_core.daemon.images import load as loading
from pyd_core.daemon.images import tar_writer
from pyd_core.daemon.images.changes import apply_commit_changes
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.linux.userns import as_root_of
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.execution import ExecCreated
from pyd_core.tar.unpack import Unpacker

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

HEADER = "X-Docker-Container-Path-Stat"


def _path(request: HttpRequest) -> str:
    path = request.query.get("path", "")
    if not path:
        raise InvalidInput("bad parameter: 'path' cannot be empty")
    return path


@route("HEAD", "/containers/{id}/archive")
async def stat_path(engine: Engine, request: HttpRequest) -> Response:
    """Return the stat data of a path."""
    name = request.params["id"]
    container = engine.containers.find(name)
    async with engine.files.open_mounted(container) as root:
        path = _path(request)
        with paths.open_path(root, path, name) as (_, status, short):
            return HandlerResult(headers={HEADER: paths.statistics(root, path, status, short)})


@route("GET", "/containers/{id}/archive")
async def get_archive(engine: Engine, request: HttpRequest) -> Response:
    """Copy a path out of a container."""
    name = request.params["id"]
    container = engine.containers.find(name)
    path = _path(request)
    async with engine.files.open_mounted(container) as root:
        with paths.open_path(root, path, name) as (_, status, short):
            header = paths.statistics(root, path, status, short)

    async def chunks() -> AsyncIterator[bytes]:
        async with engine.files.open_mounted(container) as again:
            with paths.open_path(again, path, name) as (parent, _, short):
                across = files.devices(again, container)
                work = lambda packer: packer.add_tree(parent, short, across=across)  # noqa: E731 - too long in its place
                async with aclosing(tar_writer.stream_tar(work, ids=again.ids)) as packed:
                    async for data in packed:
                        yield data

    engine.events.emit("container", "archive-path", container.id, container.attributes())
    return StreamingResponse(chunks=chunks(), kind="application/x-tar", headers={HEADER: header})


@route("PUT", "/containers/{id}/archive")
async def put_archive(engine: Engine, request: HttpRequest) -> Response:
    """Unpack an archive into a directory of a container."""
    container = engine.containers.find(request.params["id"])
    path = _path(request)
    spooled = await loading.spool(engine.images, request.chunks())
    try:
        async with engine.files.open_mounted(container) as root:
            with paths.open_path(root, path, request.params["id"], follow=True) as (directory, status, _name):
                if not stat.S_ISDIR(status.st_mode):
                    raise InvalidInput("extraction point is not a directory")
                files.check_writable(root, container, int(directory.rpartition("/")[2]))
            strict = request.flag("noOverwriteDirNonDir")
            ids = root.ids
            unpacker = Unpacker(
                Path(f"/proc/self/fd/{root.fd}"),
                layer=False,
                prefix=posixpath.normpath(path),
                strict=strict,
                ids=ids,
            )
            unpack = partial(_unpack, unpacker, spooled)
            engine.events.emit("container", "extract-to-dir", container.id, container.attributes())
            await asyncio.to_thread(unpack if ids is None else partial(as_root_of, ids, unpack))
    finally:
        spooled.unlink(missing_ok=True)
    return HandlerResult(status=200)


def _unpack(unpacker: Unpacker, spooled: Path) -> None:
    from pyd_core.daemon.images.streams import decompress  # noqa: PLC0415 - the compression libraries load on demand

    with spooled.open("rb") as raw:
        unpacker.run(decompress(raw))


@route("GET", "/containers/{id}/changes")
async def changes(engine: Engine, request: HttpRequest) -> Response:
    """List the differences from the image."""
    container = engine.containers.find(request.params["id"])
    container.ensure_not_removing(files.PURPOSE)
    layers = [engine.images.layers.directory(diff_id) for diff_id in reversed(container.record.layers)]
    return json(await asyncio.to_thread(diff.changes, container.upper, [*layers, engine.base]))


@route("GET", "/containers/{id}/export")
async def export(engine: Engine, request: HttpRequest) -> Response:
    """Pack a container's file system."""
    container = engine.containers.find(request.params["id"])

    async def chunks() -> AsyncIterator[bytes]:
        async with engine.files.open_layers(container) as root:
            path, ids = f"/proc/self/fd/{root.fd}", root.ids
            async with aclosing(tar_writer.stream_tar(lambda packer: packer.add_tree(path, ""), ids=ids)) as packed:
                async for data in packed:
                    yield data

    engine.events.emit("container", "export", container.id, container.attributes())
    return StreamingResponse(chunks=chunks(), kind="application/octet-stream")


@route("POST", "/commit")
async def commit(engine: Engine, request: HttpRequest) -> Response:
    """Commit a container to an image."""
    return CancelOnDisconnect(work=_commit(engine, request))


async def _commit(engine: Engine, request: HttpRequest) -> HandlerResult:
    given = await request.json(ContainerConfig)
    name = request.query.get("container", "")
    if not name:
        raise NotFound("No such container: ")
    container = engine.containers.find(name)
    reference = join_reference(request.query.get("repo", ""), request.query.get("tag", ""))
    changed = [line for text in request.many.get("changes", []) for line in text.splitlines()]
    config = apply_commit_changes(_laid_over(container.record.config, given), changed)
    origin = Origin(
        created_by=" ".join(container.record.command),
        comment=request.query.get("comment", ""),
        author=request.query.get("author", ""),
    )
    pausing = request.flag("pause", default=True) and container.record.status == "running"
    async with engine.freezer.freeze_briefly(container) if pausing else contextlib.nullcontext():
        record = await commit_container(engine.images, container, config, origin)
        if reference is not None:
            engine.image_events.tag(record, reference)
        name = "" if reference is None else str(reference)
        attributes = container.attributes(comment=origin.comment, imageID=record.id, imageRef=name)
        engine.events.emit("container", "commit", container.id, attributes)
    return json(ExecCreated(id=record.id), status=201)


def _laid_over(config: ContainerConfig, given: ContainerConfig) -> ContainerConfig:
    names = [field.name for field in msgspec.structs.fields(ContainerConfig)]
    own = {name: getattr(given, name) for name in names if getattr(given, name)}
    return msgspec.structs.replace(config, **own)
