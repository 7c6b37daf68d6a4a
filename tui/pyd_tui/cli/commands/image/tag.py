"""`pyd tag`."""

from __future__ import annotations

import click

from pyd_core.model.reference import parse
from pyd_tui.cli.objects.names import ImageName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write_json


@click.command(
    "tag",
    cls=PydCommand,
    examples=(("pyd tag app reg.example/app:1.2", "tag an image so that it can be pushed"),),
)
@click.argument("source", type=ImageName(), metavar="IMAGE")
@click.argument("target", metavar="NEW-NAME[:TAG]")
@pass_state
def command(state: State, /, *, source: str, target: str) -> None:
    """Tag an image with another name."""
    reference = parse(target)
    state.ask(lambda engine: engine.images.tag(source, repository=reference.familiar, tag=reference.tag))
    if state.json:
        write_json({"name": str(reference)})
