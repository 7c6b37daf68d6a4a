"""`/containers/{id}/exec` and `/exec`: commands run in containers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, ClassVar

from pyd_core.daemon.api.encoding import json
from pyd_core.daemon.api.http import HandlerResult, Hijack, HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.api.streams import size
from pyd_core.daemon.containers import execs
from pyd_core.daemon.containers.exec_record import Exec, ExecBody
from pyd_core.daemon.containers.streams import ContainerStreams
from pyd_core.daemon.runtime import terminal
from pyd_core.errors import Conflict, EngineError, InvalidInput, NotFound
from pyd_core.model.base import ApiStruct
from pyd_core.model.execution import ExecCreated

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


HANDED_OVER = 10.0
"""Seconds a resize waits for the terminal it is about."""


class StartBody(ApiStruct):
    """The body of `POST /exec/{id}/start`."""

    SPEC: ClassVar[str] = ""

    detach: bool = False
    tty: bool = False
    console_size: list[int] | None = None


@route("POST", "/containers/{id}/exec")
async def create(engine: Engine, request: HttpRequest) -> Response:
    """Prepares a command."""
    asked = request.params["id"]
    body = await request.json(ExecBody)
    if not body.cmd:
        raise InvalidInput("No exec command specified")
    made = execs.create(engine.containers.find(asked), body, asked)
    engine.execs.announce(made, "exec_create")
    return json(ExecCreated(id=made.id), status=201)


def find(engine: Engine, key: str) -> Exec:
    """Finds a command by its id.

    Raises:
        NotFound: There is none.
    """
    for container in engine.containers.all():
        made = container.execs.get(key)
        if made is not None:
            return made
    raise NotFound(f"No such exec instance: {key[:80]}")


@route("POST", "/exec/{id}/start")
async def start(engine: Engine, request: HttpRequest) -> Response:
    """Starts it, joined to the client unless detached."""
    body = await request.json(StartBody)
    made = find(engine, request.params["id"])
    if made.started:
        raise Conflict(f"Error: Exec command {made.id} has already run")
    if not made.container.record.running:  # it went with the container's end
        made.container.execs.pop(made.id, None)
        raise NotFound(f"No such exec instance: {made.id}")
    if made.container.record.status == "paused":
        raise Conflict(f"Container {made.container.id} is paused, unpause the container before exec")
    made.started = True
    engine.execs.announce(made, "exec_start")
    if not body.detach:
        # Whether the streams are told apart is for who starts it to say, as for Docker Engine: docker-py asks for that
        # of a command with a terminal too.
        return Hijack(
            serve=lambda wire: engine.execs.serve(made, wire, framed=not body.tty),
            tty=body.tty,
            done=made.settled.set,
        )
    streams = ContainerStreams(made, attached=False)
    try:
        problem = await engine.execs.start(made, streams)
    except BaseException:
        streams.close()
        raise
    if made.body.tty and not problem:
        engine.tasks.start(execs.discard(made, streams))
    else:
        streams.close()
    if not made.running and made.code is not None and problem:
        raise EngineError(problem.decode(errors="replace").strip(), status=400)
    return HandlerResult(status=200)


@route("GET", "/exec/{id}/json")
async def inspect(engine: Engine, request: HttpRequest) -> Response:
    """What it is doing, or how it ended."""
    made = find(engine, request.params["id"])
    body = made.body
    return json(
        {
            "ID": made.id,
            "Running": made.running,
            "ExitCode": made.code,
            "ProcessConfig": {
                "tty": body.tty,
                "entrypoint": body.cmd[0],
                "arguments": body.cmd[1:],
                "privileged": body.privileged,
                "user": body.user,
            },
            "OpenStdin": body.attach_stdin,
            "OpenStderr": body.attach_stderr,
            "OpenStdout": body.attach_stdout,
            "CanRemove": made.code is not None,
            "ContainerID": made.container.id,
            "DetachKeys": body.detach_keys,
            "Pid": made.pid,
        }
    )


@route("POST", "/exec/{id}/resize")
async def resize(engine: Engine, request: HttpRequest) -> Response:
    """Tells its terminal its size."""
    rows, columns = size(request)
    made = find(engine, request.params["id"])
    if made.body.tty and made.started and made.code is None:  # a client may ask before the runtime has handed it over
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(made.settled.wait(), HANDED_OVER)
    if not made.running or made.master < 0:
        raise Conflict(f"exec instance {made.id[:12]} has no terminal now")
    terminal.resize(made.master, rows, columns)
    return HandlerResult(status=200)
