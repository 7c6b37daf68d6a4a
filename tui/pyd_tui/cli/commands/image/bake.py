"""`pyd bake`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json

if TYPE_CHECKING:
    from pyd_core.buildkit.bake.targets import BakeTarget
    from pyd_core.client.engine_client import EngineClient


@click.command(
    "bake",
    cls=PydCommand,
    examples=(
        ("pyd bake", "build the default group of docker-bake.json, or the services of compose.yaml"),
        ("pyd bake -f docker-bake.json app --set app.args.VERSION=2", "build a target with another argument"),
        ("pyd bake --print", "show what would be built, as JSON"),
    ),
)
@click.argument("names", metavar="[TARGET]...", nargs=-1)
@click.option("-f", "--file", "files", multiple=True, metavar="FILE", help="Bake file in JSON, or Compose file.")
@click.option("--set", "overrides", multiple=True, metavar="TARGET.ATTRIBUTE=VALUE", help="Override a value.")
@click.option("--print", "print_only", is_flag=True, help="Print the targets as JSON instead of building them.")
@click.option("--push", is_flag=True, help="Push the images to their registries.")
@click.option("--load", is_flag=True, help="Keep the images in the engine, in addition to other outputs.")
@click.option("--no-cache", is_flag=True, help="Don't use the build cache.")
@click.option("--pull", is_flag=True, help="Always try to pull newer base images.")
@click.option("--metadata-file", metavar="FILE", help="Write the results' metadata to a file, as JSON.")
@click.option(
    "--progress",
    type=click.Choice(("auto", "plain", "tty", "quiet", "rawjson")),
    default="auto",
    help="Progress output.",
)
@pass_state
def command(
    state: State,
    /,
    *,
    names: tuple[str, ...],
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    print_only: bool,
    metadata_file: str | None,
    progress: str,
    **switches: bool,
) -> None:
    """Build the targets of a bake file or the services of a Compose file."""
    targets = [_switched(target, switches) for target in _read(files, names, overrides)]
    if print_only:
        from pyd_core.buildkit.bake.targets import bake_document

        write_json(bake_document(targets))
        return

    async def build(engine: EngineClient) -> dict[str, Any]:
        from pyd_core.client.builds import BuildsApi
        from pyd_tui.cli.builds.bake_run import bake
        from pyd_tui.cli.builds.displays import choose_display, summary_time
        from pyd_tui.cli.builds.outcome import outcome_document

        await BuildsApi(engine.api).require_buildkit()
        kind = "quiet" if state.json and progress == "auto" else progress
        title = safe(", ".join(target.name for target in targets[:5]))
        outcomes, elapsed = await bake(engine, targets, lambda: choose_display(kind, title))
        if kind not in {"quiet", "rawjson"}:
            lines = [f"{safe(name)}  {safe(outcome.result.image_id[7:19])}" for name, outcome in outcomes.items()]
            sys.stderr.write("\n".join([*lines, f"time    {summary_time(elapsed)}"]) + "\n")
        return {name: outcome_document(outcome) for name, outcome in outcomes.items()}

    documents = state.run(build)
    metadata = {name: document.pop("Metadata", {}) for name, document in documents.items()}
    if metadata_file:
        from pyd_tui.cli.builds.result_files import write_result_file

        write_result_file(metadata_file, msgspec.json.format(msgspec.json.encode(metadata), indent=2).decode() + "\n")
    if state.json:
        write_json(documents)


def _read(files: tuple[str, ...], names: tuple[str, ...], overrides: tuple[str, ...]) -> list[BakeTarget]:
    from pyd_core.buildkit.bake.bake_file import find_files, read_bake_files
    from pyd_core.buildkit.bake.targets import choose_targets, parse_override

    paths = [Path(file) for file in files] or find_files(Path.cwd())
    return choose_targets(read_bake_files(paths, os.environ), names, [parse_override(text) for text in overrides])


def _switched(target: BakeTarget, switches: dict[str, bool]) -> BakeTarget:
    given = {name: True for name, value in switches.items() if value}
    definition = msgspec.structs.replace(target.definition, **given)
    return msgspec.structs.replace(target, definition=definition)
