"""`pyd volume rm`: remove volumes."""

from __future__ import annotations

import click

from pyd_tui.cli.bulk import act, as_named
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.object_names import VolumeName
from pyd_tui.console.command import Verb


@click.command("rm", cls=Verb, examples=(("pyd volume rm data", "with all that is in it"),))
@click.argument("names", nargs=-1, required=True, type=VolumeName(), metavar="VOLUME...")
@click.option("-f", "--force", is_flag=True, help="No complaint where there is none of that name.")
@pass_state
def command(state: State, /, *, names: tuple[str, ...], force: bool) -> int:
    """Remove volumes, with all that is in them."""
    return act(state, names, lambda engine, name: engine.volumes.remove(name, force=force), resolve=as_named)
