"""Runs of new containers: create, attach, start and wait."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_tui.cli.containers.attach_relay import AttachRelay, report_detached
from pyd_tui.cli.containers.create_container import create_container
from pyd_tui.cli.containers.creation_request import attached_streams, detached
from pyd_tui.cli.containers.exec_session import runtime_code
from pyd_tui.console import failures
from pyd_tui.console.terminal import window_size

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.model.creation import CreateBody
    from pyd_tui.cli.containers.creation_options import RunOptions


async def launch(engine: EngineClient, body: CreateBody, options: RunOptions) -> int:
    """Run a new container and return its exit code: 126 if its program can't be executed, 127 if it doesn't exist.

    Raises:
        PydError: The container was never started.
    """
    if options.detach:
        if options.attach:
            raise InvalidInput("--attach and --detach can't be combined")
        container = await create_container(engine, detached(body), options)
        if (code := await _start(engine, container.id, options.detach_keys)) is not None:
            return code
        sys.stdout.write(f"{container.id}\n")
        return 0
    if body.tty and body.attach_stdin and not sys.stdin.isatty():
        raise InvalidInput(
            "-t needs a terminal, and standard input isn't one", hint="omit -t when input comes from a pipe"
        )
    if body.tty and sys.stdout.isatty():
        columns, rows = window_size(sys.stdout.fileno())
        host = msgspec.structs.replace(body.host_config, console_size=[rows, columns])
        body = msgspec.structs.replace(body, host_config=host)
    container = await create_container(engine, body, options)
    attach_options = AttachOptions(
        container_id=container.id,
        tty=body.tty,
        streams=frozenset(attached_streams(body)),
        auto_remove=body.host_config.auto_remove,
        detach_keys=options.detach_keys,
        sig_proxy=options.sig_proxy,
    )
    return await attach_and_start(engine, attach_options)


@dataclass(frozen=True, kw_only=True)
class AttachOptions:
    """Options for attaching to a container before its start."""

    container_id: str
    tty: bool
    streams: frozenset[str]
    """The streams to attach: `stdin`, `stdout` and `stderr`."""
    auto_remove: bool
    detach_keys: str = ""
    sig_proxy: bool = True


async def attach_and_start(engine: EngineClient, options: AttachOptions) -> int:
    """Attach to a container, start it and return its exit code; 126 and 127 as in `launch`.

    Raises:
        PydError: The container was never started.
    """
    condition = "removed" if options.auto_remove else "next-exit"
    async with AsyncExitStack() as stack:
        ended = await stack.enter_async_context(engine.containers.waiting(options.container_id, condition=condition))
        duplex = None
        if options.streams:
            duplex = await engine.containers.attach(
                options.container_id,
                stdin="stdin" in options.streams,
                output="stdout" in options.streams,
                errors="stderr" in options.streams,
            )
            stack.push_async_callback(duplex.aclose)
        if (code := await _start(engine, options.container_id, options.detach_keys)) is not None:
            return code
        if duplex is None:
            sys.stdout.write(f"{options.container_id}\n")
            return 0
        relay = AttachRelay(
            tty=options.tty,
            interactive="stdin" in options.streams,
            detach_keys=options.detach_keys,
            resize=lambda rows, columns: engine.containers.resize(options.container_id, rows=rows, columns=columns),
            forward=(lambda name: engine.containers.kill(options.container_id, signal=name))
            if options.sig_proxy and not options.tty
            else None,
        )
        if await relay.run(duplex) is None:
            return report_detached()
        result = await ended()
        if result.error is not None and result.error.message:
            raise PydError(result.error.message, reference="wait-failed")
        return result.status_code


async def _start(engine: EngineClient, container_id: str, detach_keys: str) -> int | None:
    """Start a container; if its program couldn't be started, report the engine's reason and return the exit code."""
    try:
        await engine.containers.start(container_id, detach_keys=detach_keys or None)
    except PydError as error:
        code = runtime_code(error.message)
        if code is None or isinstance(error, NotFound):
            raise
        hint = "see pyd triage for details; check --entrypoint and the command after the image"
        failures.report(PydError(error.message, hint=hint, reference="start-failed"))
        return code
    return None
