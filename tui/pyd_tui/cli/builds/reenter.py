"""`pyd debug build:REFERENCE`: a shell in the failed step of a build that has ended."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import msgspec

from pyd_core.buildkit.client.build import run_build
from pyd_core.buildkit.client.failure import BuildFailed
from pyd_core.buildkit.client.history import BuildRecord, find_build, list_builds
from pyd_core.buildkit.client.request import BuildRequest, BuildResult
from pyd_core.buildkit.kept_failure import FRONTEND, REFERENCE
from pyd_core.client.builds import BuildsApi
from pyd_core.debug.build import failed_builds
from pyd_core.errors import InvalidInput, NotFound, PydError
from pyd_core.sanitise import safe
from pyd_tui.cli.builds.debug_options import BuildDebugOptions, RebuildRequested
from pyd_tui.cli.builds.debugger import BuildDebugger
from pyd_tui.cli.builds.failed_builds_path import failed_builds_path

if TYPE_CHECKING:
    from pyd_core.buildkit.client.session import ClientSession
    from pyd_core.buildkit.client.solve import Solve
    from pyd_core.buildkit.rpc.connection import DuplexChannel
    from pyd_core.client.engine_client import EngineClient


async def reenter(engine: EngineClient, name: str, options: BuildDebugOptions) -> int:
    """Enter the failed step of a build, and return the exit code: 0 once it was entered.

    Args:
        engine: Where it was built.
        name: Its reference or the beginning of it; empty means the last that failed.
        options: The command, or none for a shell.

    Raises:
        NotFound: There is no such build, or nothing to enter it by.
        InvalidInput: It hasn't failed.
    """
    builder = BuildsApi(engine.api)
    await builder.require_buildkit()
    record = await _find(builder, name)
    later = msgspec.structs.replace(options, is_later=True)
    debugger = BuildDebugger(engine, later, None, context=None, on_stop=lambda: None, stopped=False)
    request = BuildRequest(frontend=FRONTEND, attributes={REFERENCE: record.reference}, is_internal=True)
    entered = False

    async def drive(solve: Solve, channel: DuplexChannel, session: ClientSession) -> BuildResult:
        nonlocal entered
        try:
            return await debugger.drive(solve, channel, session)
        except BuildFailed as error:
            entered = error.step is not None and bool(error.step.op)
            raise

    try:
        await run_build(builder, request, on_progress=lambda *_: None, drive=drive)
    except RebuildRequested:
        return await _solve_again(engine, record, options)
    except PydError:
        if entered:
            return 0
        return await _solve_again(engine, record, options)
    return 0


async def _find(builder: BuildsApi, name: str) -> BuildRecord:
    channel = await builder.channel()
    try:
        if name:
            record = await find_build(channel, name)
            if record.status != "error":
                raise InvalidInput(f"build {record.reference} hasn't failed: it is {safe(record.status)}")
            return record
        failed = [record for record in await list_builds(channel) if record.status == "error"]
    finally:
        await channel.aclose()
    if not failed:
        raise NotFound("no build has failed", hint="pyd builder history ls lists them", reference="no-such-build")
    return failed[0]


async def _solve_again(engine: EngineClient, record: BuildRecord, options: BuildDebugOptions) -> int:
    """Run the build from the cache to the step that fails."""
    from pyd_tui.cli.builds.buildkit_run import BuildRunOptions, run_definition
    from pyd_tui.cli.builds.displays import choose_display

    known = failed_builds.find(failed_builds_path(), record.reference)
    if known is None:
        raise NotFound(
            f"the failed step of build {record.reference[:12]} isn't kept, and the build isn't one of pyd build",
            hint="build it again with pyd build --debug",
            reference="no-kept-failure",
        )
    os.chdir(known.directory)
    sys.stderr.write("solving the build again from the cache\n")
    definition = msgspec.structs.replace(known.definition, no_cache=False, pull=False)
    title = safe(record.name)
    try:
        await run_definition(
            engine,
            definition,
            lambda: choose_display("auto", title),
            BuildRunOptions(report=False, debug=options),
        )
    except BuildFailed:
        return 0
    return 0
