"""Exec sessions and their exit codes."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.client.names import resolve_container
from pyd_core.errors import Conflict, EngineError, PydError
from pyd_tui.cli.containers.attach_relay import AttachRelay, report_detached
from pyd_tui.console import failures

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider

NOT_EXECUTABLE = 126
NOT_FOUND = 127

_RUNTIME_ERROR_PREFIX = b"OCI runtime exec failed"
"""The start of an error that Docker Engine writes in place of the program's output (moby, `daemon/exec.go`)."""
_MISSING = re.compile(r"executable file .*not found|stat \S+: no such file or directory", re.IGNORECASE)
_DENIED = re.compile(r"permission denied|is a directory|exec format error", re.IGNORECASE)

INSPECT_DELAYS_S = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Delays between inspections of an exec whose output has ended: the engine may learn of its end a moment later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecOptions:
    """Options of `pyd exec`.

    Attributes:
        name: The container.
        command: The program and its arguments.
        interactive: Attach standard input.
        tty: Allocate a terminal.
        detach: Run in the background.
        user: `name`, `uid`, `name:group` or `uid:gid`; empty is the container's own.
        workdir: Empty is the container's own.
        env: `NAME=VALUE`.
        privileged: Grant all capabilities.
        detach_keys: As the Engine API takes them (`ctrl-p,ctrl-q`); empty is the engine's default.
    """

    name: str
    command: tuple[str, ...]
    interactive: bool = False
    tty: bool = False
    detach: bool = False
    user: str = ""
    workdir: str = ""
    env: tuple[str, ...] = ()
    privileged: bool = False
    detach_keys: str = ""


async def run_exec(engine: Provider, options: ExecOptions) -> int:
    """Run a program and return its exit code: 126 if it can't be executed, 127 if it doesn't exist.

    Raises:
        PydError: The program was never started.
    """
    container = await resolve_container(engine, options.name)
    try:
        exec_id = await engine.execs.create(
            container.id,
            options.command,
            stdin=options.interactive and not options.detach,
            tty=options.tty,
            env=options.env,
            user=options.user,
            workdir=options.workdir,
            privileged=options.privileged,
            detach_keys=options.detach_keys,
        )
        if options.detach:
            await engine.execs.start_detached(exec_id)
            sys.stdout.write(f"{exec_id}\n")
            return 0
        duplex = await engine.execs.start(exec_id, tty=options.tty)
    except Conflict as error:
        raise Conflict(
            error.message, hint=f"pyd debug {container.name} enters stopped containers too", reference="not-running"
        ) from error
    except EngineError as error:
        code = runtime_code(error.message)
        if code is None:
            raise
        return _report_error(error.message, options, code)
    try:
        refusal = await AttachRelay(
            tty=options.tty,
            interactive=options.interactive,
            detach_keys=options.detach_keys,
            resize=lambda rows, columns: engine.execs.resize(exec_id, rows=rows, columns=columns),
            refusal=_RUNTIME_ERROR_PREFIX,
        ).run(duplex)
    finally:
        await duplex.aclose()
    if refusal is None:
        return report_detached()
    return await _exit_code(engine, exec_id, options, refusal)


async def _exit_code(engine: Provider, exec_id: str, options: ExecOptions, refusal: str) -> int:
    for pause in INSPECT_DELAYS_S:
        await asyncio.sleep(pause)
        state = await engine.execs.inspect(exec_id)
        if not state.running and state.exit_code is not None:
            if refusal and state.exit_code in {NOT_EXECUTABLE, NOT_FOUND}:
                return _report_error(refusal, options, runtime_code(refusal) or state.exit_code)
            if refusal:
                sys.stdout.write(f"{refusal}\n")
            return state.exit_code
    return report_detached()


def runtime_code(message: str) -> int | None:
    """Return the exit code of a program that an engine couldn't start, read from its error message.

    It is None if the program wasn't at fault.
    """
    if _MISSING.search(message):
        return NOT_FOUND
    return NOT_EXECUTABLE if _DENIED.search(message) else None


def _report_error(message: str, options: ExecOptions, code: int) -> int:
    program, name = options.command[0], options.name
    if _MISSING.search(message):
        text, reference = f"no such command in {name}: {program}", "command-not-found"
    elif denied := _DENIED.search(message):
        text, reference = f"can't execute {program} in {name}: {denied.group()}", "command-not-executable"
    else:
        text, reference = message, "exec-failed"
    hint = f"pyd debug {name} brings its own shell and tools"
    failures.report(PydError(text, hint=hint, reference=reference))
    return code
