"""Running a new container: made, attached to, started, waited for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_tui.cli.containers.attach_relay import AttachRelay, left_running
from pyd_tui.cli.containers.create_container import make
from pyd_tui.cli.containers.creation_request import attached, without_attachment
from pyd_tui.cli.containers.exec_session import runtime_code
from pyd_tui.console import failures
from pyd_tui.console.terminal import window_size

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.model.creation import CreateBody


async def launch(engine: EngineClient, body: CreateBody, given: Mapping[str, Any]) -> int:
    """Runs it and returns its exit code; 126 when its program can't be executed, 127 when there is none.

    Raises:
        PydError: It was never started.
    """
    if given["detach"]:
        if given["attach"]:
            raise InvalidInput("--attach and --detach don't go together")
        made = await make(engine, without_attachment(body), given)
        if (code := await _start(engine, made.id, given["detach_keys"])) is not None:
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
    part = AttachOptions(
        key=made.id,
        tty=body.tty,
        streams=frozenset(attached(body)),
        auto_remove=body.host_config.auto_remove,
        detach_keys=given["detach_keys"],
        sig_proxy=given["sig_proxy"],
    )
    return await take_part(engine, part)


@dataclass(frozen=True, kw_only=True)
class AttachOptions:
    """How to take part in a container that is about to start."""

    key: str
    """Its id."""
    tty: bool
    streams: frozenset[str]
    """Of `stdin`, `stdout` and `stderr`."""
    auto_remove: bool
    detach_keys: str = ""
    sig_proxy: bool = True


async def take_part(engine: EngineClient, part: AttachOptions) -> int:
    """Attaches to a container, starts it and returns its exit code; 126 and 127 as `launch`.

    Raises:
        PydError: It was never started.
    """
    condition = "removed" if part.auto_remove else "next-exit"
    async with AsyncExitStack() as stack:
        ended = await stack.enter_async_context(engine.containers.waiting(part.key, condition=condition))
        duplex = None
        if part.streams:
            duplex = await engine.containers.attach(
                part.key,
                stdin="stdin" in part.streams,
                output="stdout" in part.streams,
                errors="stderr" in part.streams,
            )
            stack.push_async_callback(duplex.aclose)
        if (code := await _start(engine, part.key, part.detach_keys)) is not None:
            return code
        if duplex is None:
            sys.stdout.write(f"{part.key}\n")
            return 0
        relay = AttachRelay(
            tty=part.tty,
            interactive="stdin" in part.streams,
            detach_keys=part.detach_keys,
            resize=lambda rows, columns: engine.containers.resize(part.key, rows=rows, columns=columns),
            forward=(lambda name: engine.containers.kill(part.key, signal=name))
            if part.sig_proxy and not part.tty
            else None,
        )
        if await relay.run(duplex) is None:
            return left_running()
        result = await ended()
        if result.error is not None and result.error.message:
            raise PydError(result.error.message, reference="wait-failed")
        return result.status_code


async def _start(engine: EngineClient, key: str, detach_keys: str) -> int | None:
    """Starts it; returns the exit code when its program couldn't be, and the engine has told why."""
    try:
        await engine.containers.start(key, detach_keys=detach_keys or None)
    except PydError as error:
        code = runtime_code(error.message)
        if code is None or isinstance(error, NotFound):
            raise
        hint = "pyd triage tells more; look at --entrypoint and the command after the image"
        failures.report(PydError(error.message, hint=hint, reference="start-failed"))
        return code
    return None
