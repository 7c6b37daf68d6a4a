"""A build on an engine's BuildKit, as `pyd build` and `pyd bake` run it."""

from __future__ import annotations

import re
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pyd_core.buildkit.client.build import run_build
from pyd_core.buildkit.client.definition import BuildDefinition
from pyd_core.buildkit.client.failure import BuildFailed
from pyd_core.buildkit.client.missing_source import explain_missing_source
from pyd_core.buildkit.client.prepare import PreparedBuild
from pyd_core.buildkit.client.progress import BuildSteps, ProgressChange
from pyd_core.buildkit.client.request import CONTEXT, BuildOutput, BuildRequest, BuildResult
from pyd_core.buildkit.client.values import ENGINE_EXPORTER
from pyd_core.client.builds import BuildsApi
from pyd_core.client.credentials import Logins
from pyd_core.debug.build import failed_builds
from pyd_core.errors import NotFound, PydError, Unsupported
from pyd_core.model.reference import parse
from pyd_core.sanitise import safe
from pyd_tui.cli.builds.debug_options import BuildDebugOptions, RebuildRequested
from pyd_tui.cli.builds.displays import BuildDisplay
from pyd_tui.cli.builds.failed_builds_path import failed_builds_path
from pyd_tui.cli.builds.report import change_lines, size_lines, size_parts, time_lines
from pyd_tui.cli.builds.source_view import failure_lines

if TYPE_CHECKING:
    from pyd_core.buildkit.client.session import SessionService
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.model.image import Image
    from pyd_tui.cli.builds.debugger import BuildDebugger

_NO_EXPORTER = re.compile(r'exporter "(?:docker|oci)" could not be found')
"""The answer of Docker Engine's builder without containerd's image store."""
VERDICT_LINES = 30
"""Last lines of a failed step that the verdict rests on."""
GATEWAY_LABEL = "org.mobyproject.buildkit.worker.moby.host-gateway-ip"


class BuildOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A finished build with its steps.

    Attributes:
        result: What the builder returned.
        progress: Its steps.
        elapsed: Seconds.
        tags: The image's names.
    """

    result: BuildResult
    progress: BuildSteps
    elapsed: float
    tags: tuple[str, ...] = ()


class BuildRunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of running a build.

    Attributes:
        report: Write the report to stderr.
        debug: Stop in a step, or not.
    """

    report: bool = True
    debug: BuildDebugOptions | None = None


async def run_definition(
    engine: EngineClient,
    definition: BuildDefinition,
    open_display: Callable[[], BuildDisplay],
    options: BuildRunOptions,
) -> BuildOutcome:
    """Build, show the progress, push, and write the report.

    Args:
        engine: Where.
        definition: What.
        open_display: Opens a display for each attempt.
        options: How.

    Raises:
        PydError: The build failed; what failed is on stderr by then.
    """
    stopped = False
    while True:
        try:
            return await _attempt(engine, definition, open_display(), options, stopped=stopped)
        except RebuildRequested:
            stopped = True


async def _attempt(
    engine: EngineClient, definition: BuildDefinition, display: BuildDisplay, options: BuildRunOptions, *, stopped: bool
) -> BuildOutcome:
    builder = BuildsApi(engine.api)
    gateway = await _gateway(builder) if any("host-gateway" in host for host in definition.extra_hosts) else ""
    with PreparedBuild(definition, stdin=lambda: sys.stdin.buffer, gateway=gateway) as prepared:
        name = _first_name(prepared.request)
        before = await _inspect(engine, name) if options.report else None
        started = time.monotonic()
        run = _Run(builder, prepared, display)
        if options.debug is not None:
            run.debugger = _debugger(engine, options.debug, prepared, run, stopped=stopped)
        try:
            result, saved = await run.build()
        except BuildFailed as error:
            run.finish()
            if options.debug is None:  # else the debugger has shown it
                _show_source(error)
            await _explain(engine, error, prepared, run.progress, verbose=options.report)
            _keep(error, run.reference, definition, is_shown=options.debug is None and options.report)
            raise
        except BaseException:
            run.finish()
            raise
        run.finish()
        elapsed = time.monotonic() - started
        for output in saved:
            await _save_archive(engine, output, result)
        for tag in prepared.push_tags:
            await _push(engine, tag, quiet=not options.report)
    tags = tuple(
        str(parse(tag))
        for output in prepared.request.outputs
        for tag in output.attributes.get("name", "").split(",")
        if tag
    )
    outcome = BuildOutcome(result=result, progress=run.progress, elapsed=elapsed, tags=tags)
    if options.report:
        await _write_report(engine, name, before, outcome)
    return outcome


def _debugger(
    engine: EngineClient, options: BuildDebugOptions, prepared: PreparedBuild, run: _Run, *, stopped: bool
) -> BuildDebugger:
    from pyd_tui.cli.builds.debugger import BuildDebugger

    context = prepared.request.directories.get(CONTEXT)
    return BuildDebugger(engine, options, prepared.dockerfile, context=context, on_stop=run.finish, stopped=stopped)


class _Run:
    """The calls of one build, with its progress so far."""

    def __init__(self, builder: BuildsApi, prepared: PreparedBuild, display: BuildDisplay) -> None:
        self._builder = builder
        self._prepared = prepared
        self._display = display
        self._is_shown = True
        self.reference = ""
        self.progress = BuildSteps()
        self.debugger: BuildDebugger | None = None

    def finish(self) -> None:
        """Show the last state, once."""
        if self._is_shown:
            self._is_shown = False
            self._display.finish(self.progress)

    async def build(self) -> tuple[BuildResult, Sequence[BuildOutput]]:
        """Build; return the result, and archives that the engine has to save of it."""
        request = self._prepared.request
        try:
            return await self._solve(request), ()
        except PydError as error:
            if _NO_EXPORTER.search(error.message) is None:
                raise
        request, saved = _without_archives(request)
        return await self._solve(request), saved

    async def _solve(self, request: BuildRequest) -> BuildResult:
        self.reference = secrets.token_hex(12)
        return await run_build(
            self._builder,
            msgspec.structs.replace(request, reference=self.reference),
            on_progress=self._show,
            credentials=find_credentials,
            uploads=self._prepared.uploads,
            more_services=_layout_services(request),
            drive=self.debugger.drive if self.debugger is not None else None,
        )

    def _show(self, progress: BuildSteps, change: ProgressChange) -> None:
        self.progress = progress
        if self._is_shown:
            self._display.update(progress, change)


def _layout_services(request: BuildRequest) -> list[SessionService]:
    """Return the service for the build's image layouts, if it has any."""
    if not request.layouts:
        return []
    from pyd_core.cri.content_service import ContentService

    return [ContentService(request.layouts)]


def find_credentials(domain: str) -> tuple[str, str] | None:
    """Return the user's name and password for a registry; an identity token has an empty name."""
    credentials = Logins.of_user().get(domain)
    if credentials is None:
        return None
    if credentials.identitytoken:
        return "", credentials.identitytoken
    return credentials.username, credentials.password


async def _gateway(builder: BuildsApi) -> str:
    """Return the address that `host-gateway` stands for on an engine."""
    from pyd_core.buildkit.client.workers import worker_labels

    channel = await builder.channel()
    try:
        return (await worker_labels(channel)).get(GATEWAY_LABEL, "")
    finally:
        await channel.aclose()


def _first_name(request: BuildRequest) -> str:
    for output in request.outputs:
        if output.type == ENGINE_EXPORTER and (names := output.attributes.get("name")):
            return str(parse(names.split(",")[0]))
    return ""


async def _inspect(engine: EngineClient, name: str) -> Image | None:
    if not name:
        return None
    try:
        return await engine.images.inspect(name)
    except PydError:
        return None


def _without_archives(request: BuildRequest) -> tuple[BuildRequest, tuple[BuildOutput, ...]]:
    """Return the request with images in place of `docker` archives, and the archives to save afterwards."""
    saved = tuple(output for output in request.outputs if output.type == "docker")
    if any(output.type == "oci" for output in request.outputs):
        raise Unsupported(
            "this engine's builder writes no OCI archives",
            hint="use type=docker, or an engine with containerd's image store",
            reference="build-output",
        )
    if not saved:
        return request, ()
    kept = [output for output in request.outputs if output.type != "docker"]
    if not any(output.type == ENGINE_EXPORTER for output in kept):
        kept.append(BuildOutput(type=ENGINE_EXPORTER, attributes=saved[0].attributes))
    return msgspec.structs.replace(request, outputs=tuple(kept)), saved


async def _save_archive(engine: EngineClient, output: BuildOutput, result: BuildResult) -> None:
    names = [name for name in output.attributes.get("name", "").split(",") if name] or [result.image_id]
    async with engine.images.save(names) as stream:
        if output.destination in {None, "-"}:
            async for chunk in stream.chunks():
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        path = Path(str(output.destination))
        partial = path.with_name(f".{path.name}.partial")
        try:
            with partial.open("wb") as file:
                async for chunk in stream.chunks():
                    file.write(chunk)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


async def _push(engine: EngineClient, name: str, *, quiet: bool) -> None:
    logins = Logins.of_user()
    repository, _, tag = name.rpartition(":")
    if not quiet:
        sys.stderr.write(f"pushing {safe(str(parse(name)))}\n")
    async with engine.images.push(repository, tag=tag, auth=logins.for_image(name)) as progress:
        async for _ in progress:
            pass


async def _write_report(engine: EngineClient, name: str, before: Image | None, outcome: BuildOutcome) -> None:
    progress = outcome.progress
    lines = time_lines(progress, outcome.elapsed)
    image_id = outcome.result.image_id
    if image_id:
        lines.insert(0, f"image   {safe(image_id.removeprefix('sha256:')[:12])}" + (f"  {safe(name)}" if name else ""))
        try:
            image = await engine.images.inspect(image_id)
            history = await engine.images.history(image_id)
        except NotFound:
            image, history = None, []
        if image is not None:
            lines += size_lines(image, size_parts(progress, history))
            lines += change_lines(progress, before, image, time.time())
    if progress.warnings:
        lines += (
            f"warning {_warning(warning.message, warning.filename, warning.line)}" for warning in progress.warnings
        )
    sys.stderr.write("\n".join(lines) + "\n")


def _warning(message: str, filename: str, line: int) -> str:
    return safe(message) + (f" ({safe(filename)}:{line})" if line else "")


def _keep(error: BuildFailed, reference: str, definition: BuildDefinition, *, is_shown: bool) -> None:
    """Keep a build whose step failed, so that `pyd debug build:` can enter it."""
    if error.step is None or not failed_builds.remember(failed_builds_path(), reference, definition) or not is_shown:
        return
    sys.stderr.write(f"enter the step: pyd debug build:{reference[:12]}\n")


def _show_source(error: BuildFailed) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in failure_lines(error.sources)))


async def _explain(
    engine: EngineClient, error: BuildFailed, prepared: PreparedBuild, progress: BuildSteps, *, verbose: bool
) -> None:
    """Write a verdict on a failure, or add a hint to the error."""
    context = prepared.request.directories.get(CONTEXT)
    instruction = error.sources[0].lines if error.sources else ""
    if context is not None and not error.hint:
        error.hint = explain_missing_source(error.message, context, prepared.dockerfile, instruction)
    failed = [step for step in progress.steps.values() if step.error]
    if not verbose or not failed or error.hint:
        return
    from pyd_core.triage.checks.explain import explain_error
    from pyd_core.triage.text_report import describe

    output = [line.text for line in list(failed[-1].lines)[-VERDICT_LINES:]]
    text = "\n".join([*output, error.message])
    verdict = await explain_error(text, engine, directory=context or Path.cwd())
    sys.stderr.write(describe(verdict) + "\n")
