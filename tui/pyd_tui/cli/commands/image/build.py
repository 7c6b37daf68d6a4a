"""`pyd build`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from pyd_core.errors import InvalidInput, Unsupported
from pyd_core.sanitise import safe
from pyd_tui.cli.builds.check import check_build
from pyd_tui.cli.builds.flag_options import build_options
from pyd_tui.cli.builds.flags import CLASSIC_ONLY, BuildFlags, buildkit_only_options
from pyd_tui.cli.builds.result_files import write_result_file
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_tui.cli.builds.debug_options import BuildDebugOptions


@click.command(
    "build",
    cls=PydCommand,
    examples=(
        ("pyd build -t app .", "build from the Dockerfile in this directory"),
        (
            "pyd build -t app:dev -f docker/Dev.dockerfile --build-arg VERSION=2 .",
            "use another Dockerfile and a build argument",
        ),
        ("pyd build -t small - < Dockerfile", "build without a context"),
        ("pyd build --secret id=token,src=token.txt --ssh default .", "give steps a secret and your ssh agent"),
        ("pyd build --target binaries -o out .", "write a stage's files into a directory"),
        ("pyd build --target test https://git.example/app.git#main", "build from a repository that the engine fetches"),
    ),
)
@click.argument("source", metavar="DIRECTORY|URL|-")
@build_options
@click.option("-q", "--quiet", is_flag=True, help="Print only the image id.")
@click.option("--iidfile", metavar="FILE", help="Write the image id to a file.")
@click.option("--metadata-file", metavar="FILE", help="Write the result's metadata to a file, as JSON.")
@click.option(
    "--progress",
    type=click.Choice(("auto", "plain", "tty", "quiet", "rawjson")),
    default="auto",
    help="Progress output.",
)
@click.option("--check", is_flag=True, help="Check the Dockerfile instead of building; see pyd lint.")
@click.option("--debug", is_flag=True, help="Open a shell with tools in the step that fails.")
@click.option("--on", metavar="error|STEP|LINE", help="Open the shell before this step runs; implies --debug.")
@click.option(
    "--debug-command", metavar="COMMAND", help="Run a command in the step instead of a shell; implies --debug."
)
@pass_state
def command(
    state: State,
    /,
    *,
    source: str,
    check: bool,
    quiet: bool,
    iidfile: str | None,
    metadata_file: str | None,
    progress: str,
    debug: bool,
    on: str | None,
    debug_command: str | None,
    **values: Any,
) -> int:
    """Build an image from a Dockerfile."""
    flags = BuildFlags(**values)
    if check:
        return check_build(state, source, flags)
    stop = _debug_options(on, debug_command) if debug or on or debug_command else None
    silent = quiet or state.json or progress == "quiet"

    shown = "quiet" if silent and progress == "auto" else progress

    async def build(engine: EngineClient) -> dict[str, Any]:
        from pyd_core.client.builds import BuildsApi

        builds = BuildsApi(engine.api)
        is_classic = flags.needs_classic() or os.environ.get("DOCKER_BUILDKIT") == "0"
        if not is_classic and await builds.has_buildkit():
            return await _build(engine, flags, source, progress=shown, silent=silent, stop=stop)
        if stop is not None:
            await builds.require_buildkit()
            raise InvalidInput("--debug needs BuildKit, which these options turn off")
        return await _build_classic(engine, flags, source, silent=silent, quiet=quiet)

    document = state.run(build)
    metadata = document.pop("Metadata", {})
    if iidfile:
        write_result_file(iidfile, document["Id"])
    if metadata_file:
        import msgspec

        write_result_file(metadata_file, msgspec.json.format(msgspec.json.encode(metadata), indent=2).decode() + "\n")
    if state.json:
        write_json(document)
    elif silent:
        write(f"{safe(document['Id'])}\n")
    else:
        sys.stdout.flush()
    return 0


def _debug_options(on: str | None, command: str | None) -> BuildDebugOptions:
    from pyd_tui.cli.builds.debug_options import ON_ERROR, BuildDebugOptions

    if command is None and not sys.stdin.isatty():
        raise InvalidInput("--debug needs a terminal", hint="or give it --debug-command")
    return BuildDebugOptions(on=on or ON_ERROR, command=command)


async def _build(
    engine: EngineClient, flags: BuildFlags, source: str, *, progress: str, silent: bool, stop: BuildDebugOptions | None
) -> dict[str, Any]:
    from pyd_tui.cli.builds.buildkit_run import BuildRunOptions, run_definition
    from pyd_tui.cli.builds.displays import choose_display
    from pyd_tui.cli.builds.outcome import outcome_document

    title = safe(flags.tags[0] if flags.tags else flags.file or source)
    options = BuildRunOptions(report=not silent and progress != "rawjson", debug=stop)
    outcome = await run_definition(engine, flags.definition(source), lambda: choose_display(progress, title), options)
    return outcome_document(outcome)


async def _build_classic(
    engine: EngineClient, flags: BuildFlags, source: str, *, silent: bool, quiet: bool
) -> dict[str, Any]:
    from pyd_core.buildkit.client.prepare import REMOTE_PREFIXES
    from pyd_tui.cli.images.build_output import build

    if needed := buildkit_only_options(flags):
        also = [name for name in CLASSIC_ONLY if getattr(flags, name)]
        raise Unsupported(
            f"{', '.join(needed)} needs BuildKit"
            + (f", which doesn't know {', '.join(CLASSIC_ONLY[name] for name in also)}" if also else ""),
            hint="leave one out" if also else "use Docker Engine 23 or newer, or pydd",
            reference="no-buildkit",
        )
    remote = source if source.startswith(REMOTE_PREFIXES) else ""
    options = flags.classic_options(quiet=quiet, remote=remote)
    image_id = await build(engine, options, source=source, file=flags.file or None, quiet=silent)
    return {"Id": image_id, "Tags": list(options.tags)}
