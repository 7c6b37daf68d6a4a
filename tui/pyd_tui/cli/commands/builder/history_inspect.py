"""`pyd builder history inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from pyd_core.sanitise import safe
from pyd_tui.cli.builds.builder_connection import on_builder
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json

if TYPE_CHECKING:
    from pyd_core.buildkit.client.history import BuildRecord
    from pyd_core.buildkit.client.progress import BuildSteps
    from pyd_core.buildkit.rpc.connection import DuplexChannel


@click.command(
    "inspect", cls=PydCommand, examples=(("pyd builder history inspect", "show the newest build and its steps"),)
)
@click.argument("name", metavar="[BUILD]", default="")
@pass_state
def command(state: State, /, *, name: str) -> None:
    """Show a build's options, steps and result; the newest one's without a name."""
    from pyd_core.buildkit.client.history import find_build, replay
    from pyd_core.buildkit.client.progress import BuildSteps

    async def work(channel: DuplexChannel) -> tuple[BuildRecord, BuildSteps]:
        record = await find_build(channel, name)
        progress = BuildSteps()
        if record.status != "running":
            async for replayed, _ in replay(channel, record.reference):
                progress = replayed
        return record, progress

    record, progress = on_builder(state, work)
    if state.json:
        write_json(_document(record, progress))
        return
    write("\n".join(_lines(record, progress)) + "\n")


def _document(record: BuildRecord, progress: BuildSteps) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(record)
    document["steps"] = [
        {
            "digest": step.digest,
            "name": step.name,
            "cached": step.cached,
            "error": step.error,
            "seconds": round(step.duration(0), 3),
        }
        for step in progress.steps.values()
    ]
    return document


def _lines(record: BuildRecord, progress: BuildSteps) -> list[str]:
    from pyd_tui.console.builds.tree import TreePainter

    lines = [f"build     {safe(record.reference)}", f"status    {record.status}"]
    if record.error:
        lines.append(f"error     {record.error}")
    lines += (f"option    {safe(key)}={safe(value)}" for key, value in sorted(record.attributes.items()))
    lines += (f"result    {safe(key)}={safe(value)}" for key, value in sorted(record.metadata.items()))
    if progress.steps and record.created is not None:
        ended = record.completed or record.created
        painter = TreePainter(safe(record.name), coloured=False)
        tree = painter.lines(progress, now=ended, started=record.created, width=100, height=0)
        lines += ["", *(line.rstrip() for line in tree)]
    return lines
