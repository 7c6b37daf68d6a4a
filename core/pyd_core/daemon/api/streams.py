"""The streams of containers below `/containers/{id}/`: wait, logs, attach, resize."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from pyd_core import detach_keys
from pyd_core.daemon.api.encoding import full
from pyd_core.daemon.api.failures import with_plain_errors
from pyd_core.daemon.api.http import HandlerResult, Hijack, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.api.server import MULTIPLEXED, RAW
from pyd_core.daemon.api.websocket import WebSocketWire, handshake
from pyd_core.daemon.containers import logs as logfile
from pyd_core.daemon.containers.attach import Attachment, unframed
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.daemon.runtime import terminal
from pyd_core.daemon.times import moment
from pyd_core.errors import Conflict, InvalidInput
from pyd_core.model.container import WaitResult

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


@route("POST", "/containers/{id}/wait")
async def wait(engine: Engine, request: HttpRequest) -> Response:
    """Respond when a container ends. The head is sent immediately: clients wait for it before they start it."""
    container = engine.containers.find(request.params["id"])
    condition = request.query.get("condition") or "not-running"
    record = container.record
    match condition:
        case "not-running":
            ended = None if not record.running and record.status != "restarting" else container.next_end()
        case "next-exit":
            ended = container.next_end()
        case "removed":
            ended = container.removal()
        case _:
            raise InvalidInput(f'invalid condition: "{condition[:40]}"')

    async def result() -> AsyncIterator[bytes]:
        yield b""
        code = record.exit_code if ended is None else await ended
        yield msgspec.json.encode(full(WaitResult(status_code=code)))

    return StreamingResponse(chunks=result(), done=lambda: None if ended is None else ended.cancel())


def log_options(request: HttpRequest) -> logfile.LogOptions:
    """Read the parameters of a log request.

    Raises:
        InvalidInput: Neither stream is asked for, or a value makes no sense.
    """
    stdout, stderr = request.flag("stdout"), request.flag("stderr")
    if not stdout and not stderr:
        raise InvalidInput("Bad parameters: you must choose at least one stream")
    tail = request.query.get("tail", "all")
    return logfile.LogOptions(
        stdout=stdout,
        stderr=stderr,
        timestamps=request.flag("timestamps"),
        details=request.flag("details"),
        follow=request.flag("follow"),
        tail=int(tail) if tail.isdecimal() else None,
        since=moment(request.query.get("since", ""), "since") or 0,
        until=moment(request.query.get("until", ""), "until") or 0,
    )


@route("GET", "/containers/{id}/logs")
async def logs(engine: Engine, request: HttpRequest) -> Response:
    """Stream a container's log."""
    container = engine.containers.find(request.params["id"])
    logfile.check(container)
    kind = RAW if container.record.config.tty else MULTIPLEXED
    if request.version < (1, 42):
        kind = RAW
    return StreamingResponse(chunks=logfile.read(container, log_options(request)), kind=kind.decode())


@route("POST", "/containers/{id}/attach")
@with_plain_errors
async def attach(engine: Engine, request: HttpRequest) -> Response:
    """Join the client to a container's streams."""
    container, attachment = await _attachment(engine, request)
    tty = container.record.config.tty
    return Hijack(serve=attachment.serve, tty=tty, done=partial(_close, container, attachment))


@route("GET", "/containers/{id}/attach/ws")
async def attach_by_websocket(engine: Engine, request: HttpRequest) -> Response:
    """Join a websocket to a container's streams, without a distinction between them."""
    engine.containers.find(request.params["id"])  # first: a missing container is a 404 to any client
    head = handshake(request)
    container, attachment = await _attachment(engine, request, plain=True)

    async def serve(wire: UpgradedConnection) -> None:
        framed = WebSocketWire(wire)
        await attachment.serve(framed)
        framed.finish()

    return Hijack(serve=serve, head=head, done=partial(_close, container, attachment))


async def _attachment(
    engine: Engine, request: HttpRequest, *, plain: bool = False
) -> tuple[EngineContainer, Attachment]:
    """Create the attachment that a request describes; `plain` leaves the frames of the two streams out."""
    keys = request.query.get("detachKeys", "")
    try:
        detach_keys.parse_keys(keys)
    except InvalidInput as error:
        raise InvalidInput(f"Invalid detach keys ({keys[:80]}) provided") from error
    container = engine.containers.find(request.params["id"])
    record = container.record
    if record.status == "paused":
        raise Conflict(f"container {record.id[:12]} is paused, unpause the container before attach")
    attachment = Attachment(
        tty=record.config.tty,
        framed=not (plain or record.config.tty),
        stdin=request.flag("stdin") and record.config.open_stdin,
        stdout=request.flag("stdout"),
        stderr=request.flag("stderr"),
        detach_keys=keys,
        spool=engine.config.root,
        detached=lambda: engine.events.emit("container", "detach", container.id, container.attributes()),
    )
    container.attachments.add(attachment)
    try:
        if request.flag("logs"):
            logfile.check(container)
            options = logfile.LogOptions(stdout=request.flag("stdout"), stderr=request.flag("stderr"))
            async with contextlib.aclosing(logfile.read(container, options)) as pieces:
                async for piece in pieces:
                    for data in unframed(piece) if plain and not record.config.tty else (piece,):
                        attachment.put(data)
        engine.events.emit("container", "attach", container.id, container.attributes())
        if not request.flag("stream"):
            attachment.give_up()
        elif record.running:
            await attachment.open(container.bundle, container.next_end())
        elif record.status not in {"created", "exited", "restarting"}:
            attachment.give_up()
    except BaseException:
        _close(container, attachment)
        raise
    return container, attachment


def _close(container: EngineContainer, attachment: Attachment) -> None:
    container.attachments.discard(attachment)
    attachment.close()


def size(request: HttpRequest) -> tuple[int, int]:
    """Read rows and columns.

    Raises:
        InvalidInput: One is missing or out of range.
    """
    rows, columns = request.number("h"), request.number("w")
    if rows is None or columns is None or not (0 <= rows < 65536 and 0 <= columns < 65536):
        raise InvalidInput("h and w must be numbers from 0 to 65535")
    return rows, columns


@route("POST", "/containers/{id}/resize")
async def resize(engine: Engine, request: HttpRequest) -> Response:
    """Resize a container's terminal."""
    container = engine.containers.find(request.params["id"])
    rows, columns = size(request)
    if not container.record.running:
        raise Conflict(f"Container {container.id} is not running")
    terminal.resize_container(container.bundle, rows, columns)
    attributes = container.attributes(height=str(rows), width=str(columns))
    engine.events.emit("container", "resize", container.id, attributes)
    return HandlerResult(status=200)
