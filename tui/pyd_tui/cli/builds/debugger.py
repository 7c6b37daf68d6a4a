"""The debugger of builds: drives a build, and opens a shell in its failed or named step."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.buildkit.client.failure import BuildFailed
from pyd_core.buildkit.client.gateway import Gateway
from pyd_core.buildkit.client.missing_source import describe_context
from pyd_core.buildkit.client.request import BuildResult
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.debug.build.breakpoint import definition_of, find_digest, find_step
from pyd_core.debug.build.step_container import (
    DebugStepContainer,
    StepSnapshot,
    failed_state,
    open_step,
    state_before,
    without_secrets,
)
from pyd_core.debug.build.step_shell import EDIT, RERUN, shell_meta, step_text
from pyd_core.debug.helper import image as toolbox_image
from pyd_core.debug.toolbox.selection import find_toolbox
from pyd_core.errors import PydError, Unsupported
from pyd_core.tasks import TaskOwner
from pyd_tui.cli.builds.debug_options import ON_ERROR, BuildDebugOptions, RebuildRequested
from pyd_tui.cli.builds.source_view import failure_lines
from pyd_tui.console.terminal import raw_mode, read_input, send_sizes

if TYPE_CHECKING:
    from pyd_core.buildkit.client.process import GatewayProcess
    from pyd_core.buildkit.client.session import ClientSession
    from pyd_core.buildkit.client.solve import Solve
    from pyd_core.buildkit.rpc.connection import DuplexChannel
    from pyd_core.client.engine_client import EngineClient


class BuildDebugger:
    """Drives builds of one definition.

    Args:
        engine: Where; it is given the toolbox's image.
        options: When to stop.
        dockerfile: The Dockerfile that `edit` opens; None if it isn't a file of this machine.
        context: The build context's directory; None if it isn't one of this machine.
        on_stop: Called before something else than progress is shown.
        stopped: Whether an earlier attempt has stopped at the named step.
    """

    def __init__(
        self,
        engine: EngineClient,
        options: BuildDebugOptions,
        dockerfile: Path | None,
        *,
        context: Path | None,
        on_stop: Callable[[], None],
        stopped: bool,
    ) -> None:
        self._engine = engine
        self._options = options
        self._dockerfile = dockerfile
        self._context = context
        self._on_stop = on_stop
        self._stopped = stopped

    async def drive(self, solve: Solve, channel: DuplexChannel, session: ClientSession) -> BuildResult:
        """Run a build to its end.

        Raises:
            RebuildRequested: The user wants another.
            BuildFailed: It failed, and the user left it at that.
        """
        del session
        async with TaskOwner(on_error=lambda _: None) as tasks:
            run = tasks.start(solve.run(gateway=True), name="build")
            gateway = Gateway(channel, solve.reference)
            await gateway.wait()
            try:
                if self._options.on != ON_ERROR and not self._stopped:
                    await self._stop_before_step(solve, gateway)
                result = await gateway.build(solve.request, evaluate=True)
            except BuildFailed as error:
                try:
                    await self._inspect(error, solve, gateway)
                finally:
                    await self._abandon(gateway, error.message, run)
                raise
            except BaseException:
                await self._abandon(gateway, "cancelled", run)
                raise
            await gateway.finish(result)
            return await run

    async def _abandon(self, gateway: Gateway, message: str, run: asyncio.Task[BuildResult]) -> None:
        with suppress(PydError):
            await gateway.finish(None, message)
            await run

    async def _stop_before_step(self, solve: Solve, gateway: Gateway) -> None:
        result = await gateway.build(solve.request, evaluate=False)
        definition = definition_of(result)
        step = find_step(definition, self._options.on)
        state = await state_before(gateway, definition, step.op)
        self._on_stop()
        sys.stderr.write(f"stopped before {step_text(ops_pb2.Op.FromString(step.op))}\n")
        await self._enter(gateway, state, line=step.first)
        self._stopped = True

    async def _inspect(self, error: BuildFailed, solve: Solve, gateway: Gateway) -> None:
        """Open the failed step, if it has a container."""
        if self._options.is_later and (error.step is None or not error.step.op):
            return
        self._on_stop()
        lines = failure_lines(error.sources)
        sys.stderr.write("".join(f"{line}\n" for line in (*lines, f"failed: {error.message}")))
        line = error.sources[0].first if error.sources else 0
        state = await self._failed_state(error, solve, gateway)
        if state is not None:
            await self._enter(gateway, state, line=line)
            return
        if self._context is not None:
            lines = describe_context(error.message, self._context, self._dockerfile)
            sys.stderr.write("".join(f"{line}\n" for line in lines))
        await self._ask(line)

    async def _failed_state(self, error: BuildFailed, solve: Solve, gateway: Gateway) -> StepSnapshot | None:
        """Return the state in which a step failed; None if it has no container."""
        if error.step is None:
            return None
        if error.step.op:
            try:
                return failed_state(error.step, before=self._options.on != ON_ERROR and not self._stopped)
            except Unsupported:
                return None
        # a builder that keeps no failed state: the step runs again on the state before it
        try:
            definition = definition_of(await gateway.build(solve.request, evaluate=False))
            step = find_digest(definition, error.step.digest)
            if step is None:
                return None
            state = await state_before(gateway, definition, step.op)
        except PydError:
            return None
        return msgspec.structs.replace(state, replay=True)

    async def _enter(self, gateway: Gateway, state: StepSnapshot, *, line: int) -> None:
        if self._options.is_later:
            state = without_secrets(state)
        toolbox = await asyncio.to_thread(find_toolbox, _progress)
        image = await toolbox_image.ensure(self._engine.api, toolbox, _progress)
        async with open_step(gateway, state, image) as container:
            code = await self._run_shell(container, toolbox)
        if code == RERUN:
            raise RebuildRequested
        if code == EDIT:
            await self._edit(line)
            raise RebuildRequested

    async def _run_shell(self, container: DebugStepContainer, toolbox: str) -> int:
        command = self._options.command
        tty = command is None and sys.stdin.isatty()
        if tty:
            sys.stderr.write("the shell has the step's files, environment and user, and tools; `help` lists commands\n")
        meta = shell_meta(
            container.op,
            toolbox,
            terminal=os.environ.get("TERM", "") if tty else "",
            command=command if not tty else None,
        )
        process = container.process(meta, tty=tty)
        with raw_mode(sys.stdin.fileno()) if tty else nullcontext():
            async with process.run(), TaskOwner(on_error=lambda _: None) as tasks:
                if tty:
                    tasks.start(_send_input(process))
                    tasks.start(send_sizes(sys.stdout.fileno(), process.resize))
                else:
                    await process.write(b"")
                await _copy_output(process)
        return process.exit_code or 0

    async def _ask(self, line: int) -> None:
        """Ask what to do about a failure that has no container."""
        if not sys.stdin.isatty() or self._options.command is not None:
            return
        while True:
            sys.stderr.write("[r]erun, [e]dit the Dockerfile and rerun, or [q]uit? ")
            sys.stderr.flush()
            answer = (await asyncio.to_thread(sys.stdin.readline)).strip().lower()
            if answer in {"r", "rerun"}:
                raise RebuildRequested
            if answer in {"e", "edit"}:
                await self._edit(line)
                raise RebuildRequested
            if answer in {"", "q", "quit"}:
                return

    async def _edit(self, line: int) -> None:
        if self._dockerfile is None:
            sys.stderr.write("the Dockerfile isn't a file that can be edited here\n")
            return
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        process = await asyncio.create_subprocess_exec(*editor, f"+{line or 1}", str(self._dockerfile))
        await process.wait()


async def _copy_output(process: GatewayProcess) -> None:
    async for descriptor, data in process.output():
        out = sys.stderr.buffer if descriptor == 2 else sys.stdout.buffer
        out.write(data)
        out.flush()


async def _send_input(process: GatewayProcess) -> None:
    async for data in read_input(sys.stdin.fileno()):
        await process.write(data)
    await process.write(b"")


def _progress(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{stage}  {done}/{total}\r" if done < total else "\r\x1b[2K")
        sys.stderr.flush()
