"""An exec session: input, output, terminal size and exit code."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from typing import TYPE_CHECKING

from pyd_core.engine.frames import STDERR, STDOUT, FrameDecoder
from pyd_core.engine.names import resolve_container
from pyd_core.errors import Conflict, EngineError, PydError
from pyd_core.sanitise import safe_bytes
from pyd_core.tasks import TaskOwner
from pyd_tui.cli import failures
from pyd_tui.cli.detach import DEFAULT, DetachKeys, parse_keys
from pyd_tui.cli.terminal import raw_mode, read_input, window_size

if TYPE_CHECKING:
    from pyd_core.engine.client import Engine
    from pyd_core.engine.transport.base import Duplex
    from pyd_tui.cli.exec import ExecOptions

NOT_EXECUTABLE = 126
NOT_FOUND = 127

_RUNTIME_SAYS = b"OCI runtime exec failed"
"""How Docker Engine begins what it writes to the stream in place of the program's output (moby, `daemon/exec.go`)."""
_MISSING = re.compile(r"executable file .*not found|stat \S+: no such file or directory", re.IGNORECASE)
_DENIED = re.compile(r"permission denied|is a directory|exec format error", re.IGNORECASE)

SETTLING = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between looks at an exec whose output has ended: the engine may learn of its end a moment later."""


async def run(engine: Engine, options: ExecOptions) -> int:
    """Runs the program and returns its exit code; 126 when it can't be executed, 127 when there is none.

    Raises:
        PydError: It was never started.
    """
    found = await resolve_container(engine, options.name)
    try:
        exec_id = await engine.execs.create(
            found.id,
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
            error.message, hint=f"pyd debug {found.name} enters it as it is", reference="not-running"
        ) from error
    except EngineError as error:
        code = _code(error.message)
        if code is None:
            raise
        return _report(error.message, options, code)
    try:
        refusal = await _relay(engine, exec_id, duplex, options)
    finally:
        await duplex.aclose()
    if refusal is None:
        return _left_running()
    return await _ended(engine, exec_id, options, refusal)


async def _relay(engine: Engine, exec_id: str, duplex: Duplex, options: ExecOptions) -> str | None:
    """Passes bytes both ways until the output ends.

    Returns:
        What the runtime said when it couldn't start the program, else an empty text; None when the user left.
    """
    keyboard = options.tty and options.interactive
    keys = DetachKeys(parse_keys(options.detach_keys or DEFAULT)) if keyboard else None
    terminal = raw_mode(sys.stdin.fileno()) if keyboard else contextlib.nullcontext()
    with terminal:
        async with TaskOwner(on_error=lambda _: None) as tasks:  # a lost connection shows in the output's end
            receiving = tasks.start(_receive(duplex, framed=not options.tty))
            left = asyncio.Event()
            leaving = tasks.start(left.wait())
            if options.interactive:
                tasks.start(_send(duplex, keys, left))
            if options.tty and sys.stdout.isatty():
                tasks.start(_follow_size(engine, exec_id))
            ended_by = _watch_signals(left) if keyboard else []
            await asyncio.wait({receiving, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if ended_by:
                raise SystemExit(128 + ended_by[0])
            return receiving.result() if receiving.done() else None


def _watch_signals(left: asyncio.Event) -> list[int]:
    """Has signals that would end the process end the session instead, so that the terminal is given back."""
    received: list[int] = []

    def handler(number: int) -> None:
        received.append(number)
        left.set()

    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, handler, number)
    return received


async def _send(duplex: Duplex, keys: DetachKeys | None, left: asyncio.Event) -> None:
    async for data in read_input(sys.stdin.fileno()):
        passed, leaving = keys.feed(data) if keys is not None else (data, False)
        if passed:
            await duplex.write(passed)
        if leaving:
            left.set()
            return
    await duplex.close_write()


async def _follow_size(engine: Engine, exec_id: str) -> None:
    changed = asyncio.Event()
    changed.set()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    try:
        while await changed.wait():
            changed.clear()
            columns, rows = window_size(sys.stdout.fileno())
            with contextlib.suppress(PydError):  # it may have ended meanwhile
                await engine.execs.resize(exec_id, rows=rows, columns=columns)
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def _receive(duplex: Duplex, *, framed: bool) -> str:
    decoder = FrameDecoder()
    outputs = {STDOUT: sys.stdout.buffer, STDERR: sys.stderr.buffer}
    first = True
    refusal = b""
    while data := await duplex.read():
        pieces = [(frame.stream, frame.data) for frame in decoder.feed(data)] if framed else [(STDOUT, data)]
        for stream, piece in pieces:
            if refusal or (first and piece.startswith(_RUNTIME_SAYS)):
                refusal += piece
                continue
            first = False
            outputs.get(stream, sys.stderr.buffer).write(piece)
        for output in outputs.values():
            output.flush()
    return safe_bytes(refusal.strip())


async def _ended(engine: Engine, exec_id: str, options: ExecOptions, refusal: str) -> int:
    for pause in SETTLING:
        await asyncio.sleep(pause)
        state = await engine.execs.inspect(exec_id)
        if not state.running and state.exit_code is not None:
            if refusal and state.exit_code in {NOT_EXECUTABLE, NOT_FOUND}:
                return _report(refusal, options, _code(refusal) or state.exit_code)
            if refusal:
                sys.stdout.write(f"{refusal}\n")
            return state.exit_code
    return _left_running()


def _left_running() -> int:
    sys.stderr.write("pyd: left it running\n")
    return 0


def _code(message: str) -> int | None:
    """Tells from an engine's words that the program was at fault; None when something else was."""
    if _MISSING.search(message):
        return NOT_FOUND
    return NOT_EXECUTABLE if _DENIED.search(message) else None


def _report(message: str, options: ExecOptions, code: int) -> int:
    program, name = options.command[0], options.name
    if _MISSING.search(message):
        what, reference = f"there is no {program} in {name}", "command-not-found"
    elif denied := _DENIED.search(message):
        what, reference = f"can't execute {program} in {name}: {denied.group()}", "command-not-executable"
    else:
        what, reference = message, "exec-failed"
    hint = f"pyd debug {name} brings its own shell and tools"
    failures.report(PydError(what, hint=hint, reference=reference))
    return code
