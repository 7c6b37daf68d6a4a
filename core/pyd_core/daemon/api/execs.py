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


TERMINAL_TIMEOUT_S = 10.0
"""How long a resize waits for the terminal."""


class StartBody(ApiStruct):
    """The body of `POST /exec/{id}/start`."""

    SPEC: ClassVar[str] = ""

    detach: bool = False
    tty: bool = False
    console_size: list[int] | None = None


@route("POST", "/containers/{id}/exec")
async def create(engine: Engine, request: HttpRequest) -> Response:
    """Create a command."""
    name = request.params["id"]
    body = await request.json(ExecBody)
    if not body.cmd:
        raise InvalidInput("No exec command specified")
    exec_ = execs.create(engine.containers.find(name), body, name)
    engine.execs.announce(exec_, "exec_create")
    return json(ExecCreated(id=exec_.id), status=201)


def find(engine: Engine, key: str) -> Exec:
    """Return a command by its id.

    Raises:
        NotFound: There is none.
    """
    for container in engine.containers.all():
        exec_ = container.execs.get(key)
        if exec_ is not None:
            return exec_
    raise NotFound(f"No such exec instance: {key[:80]}")


@route("POST", "/exec/{id}/start")
async def start(engine: Engine, request: HttpRequest) -> Response:
    """Start a command, joined to the client unless detached."""
    body = await request.json(StartBody)
    exec_ = find(engine, request.params["id"])
    if exec_.started:
        raise Conflict(f"Error: Exec command {exec_.id} has already run")
    if not exec_.container.record.running:  # it went with the container's end
        exec_.container.execs.pop(exec_.id, None)
        raise NotFound(f"No such exec instance: {exec_.id}")
    if exec_.container.record.status == "paused":
        raise Conflict(f"Container {exec_.container.id} is paused, unpause the container before exec")
    exec_.started = True
    engine.execs.announce(exec_, "exec_start")
    if not body.detach:
        # The request that starts it says whether its streams are separate, as in Docker Engine: docker-py requests
        # that for a command with a terminal too.
        return Hijack(
            serve=lambda wire: engine.execs.serve(exec_, wire, framed=not body.tty),
            tty=body.tty,
            done=exec_.settled.set,
        )
    streams = ContainerStreams(exec_, attached=False)
    try:
        problem = await engine.execs.start(exec_, streams)
    except BaseException:
        streams.close()
        raise
    if exec_.body.tty and not problem:
        engine.tasks.start(execs.discard(exec_, streams))
    else:
        streams.close()
    if not exec_.running and exec_.code is not None and problem:
        raise EngineError(problem.decode(errors="replace").strip(), status=400)
    return HandlerResult(status=200)


@route("GET", "/exec/{id}/json")
async def inspect(engine: Engine, request: HttpRequest) -> Response:
    """Return a command's state or its exit code."""
    exec_ = find(engine, request.params["id"])
    body = exec_.body
    return json(
        {
            "ID": exec_.id,
            "Running": exec_.running,
            "ExitCode": exec_.code,
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
            "CanRemove": exec_.code is not None,
            "ContainerID": exec_.container.id,
            "DetachKeys": body.detach_keys,
            "Pid": exec_.pid,
        }
    )


@route("POST", "/exec/{id}/resize")
async def resize(engine: Engine, request: HttpRequest) -> Response:
    """Resize a command's terminal."""
    rows, columns = size(request)
    exec_ = find(engine, request.params["id"])
    if (
        exec_.body.tty and exec_.started and exec_.code is None
    ):  # a client may ask before the runtime has handed it over
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(exec_.settled.wait(), TERMINAL_TIMEOUT_S)
    if not exec_.running or exec_.master < 0:
        raise Conflict(f"exec instance {exec_.id[:12]} has no terminal now")
    terminal.resize(exec_.master, rows, columns)
    return HandlerResult(status=200)
