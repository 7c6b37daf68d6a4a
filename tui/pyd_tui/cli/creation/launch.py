"""Running a new container: made, attached to, started, waited for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.model.container import Created
from pyd_tui.cli import failures
from pyd_tui.cli.creation.making import make
from pyd_tui.cli.creation.request import attached, without_attachment
from pyd_tui.cli.execution import runtime_code
from pyd_tui.cli.relay import Relay, left_running
from pyd_tui.cli.terminal import window_size

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine
    from pyd_core.model.creation import CreateBody


async def launch(engine: Engine, body: CreateBody, given: Mapping[str, Any]) -> int:
    """Runs it and returns its exit code; 126 when its program can't be executed, 127 when there is none.

    Raises:
        PydError: It was never started.
    """
    if given["detach"]:
        if given["attach"]:
            raise InvalidInput("--attach and --detach don't go together")
        made = await make(engine, without_attachment(body), given)
        if (code := await _start(engine, made, given)) is not None:
            return code
        sys.stdout.write(f"{made.id}\n")
        return 0
    if body.tty and body.attach_stdin and not sys.stdin.isatty():
        raise InvalidInput(
            "-t asks for a terminal, and standard input is none", hint="leave -t out when input comes from a pipe"
        )
    if body.tty and sys.stdout.isatty():
        columns, rows = window_size(sys.stdout.fileno())
        host = msgspec.structs.replace(body.host_config, console_size=[rows, columns])
        body = msgspec.structs.replace(body, host_config=host)
    made = await make(engine, body, given)
    return await _attached(engine, made, body, given)


async def _attached(engine: Engine, made: Created, body: CreateBody, given: Mapping[str, Any]) -> int:
    streams = attached(body)
    condition = "removed" if body.host_config.auto_remove else "next-exit"
    async with AsyncExitStack() as stack:
        ended = await stack.enter_async_context(engine.containers.waiting(made.id, condition=condition))
        duplex = None
        if streams:
            duplex = await engine.containers.attach(
                made.id, stdin="stdin" in streams, output="stdout" in streams, errors="stderr" in streams
            )
            stack.push_async_callback(duplex.aclose)
        if (code := await _start(engine, made, given)) is not None:
            return code
        if duplex is None:
            sys.stdout.write(f"{made.id}\n")
            return 0
        relay = Relay(
            tty=body.tty,
            interactive="stdin" in streams,
            detach_keys=given["detach_keys"],
            resize=lambda rows, columns: engine.containers.resize(made.id, rows=rows, columns=columns),
            forward=(lambda name: engine.containers.kill(made.id, signal=name))
            if given["sig_proxy"] and not body.tty
            else None,
        )
        if await relay.run(duplex) is None:
            return left_running()
        result = await ended()
        if result.error is not None and result.error.message:
            raise PydError(result.error.message, reference="wait-failed")
        return result.status_code


async def _start(engine: Engine, made: Created, given: Mapping[str, Any]) -> int | None:
    """Starts it; returns the exit code when its program couldn't be, and the engine has told why."""
    try:
        await engine.containers.start(made.id, detach_keys=given["detach_keys"] or None)
    except PydError as error:
        code = runtime_code(error.message)
        if code is None or isinstance(error, NotFound):
            raise
        hint = "pyd triage tells more; look at --entrypoint and the command after the image"
        failures.report(PydError(error.message, hint=hint, reference="start-failed"))
        return code
    return None
