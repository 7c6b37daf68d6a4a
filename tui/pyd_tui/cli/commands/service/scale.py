"""`pyd service scale`."""

from __future__ import annotations

import click

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.cli.objects.bulk import keep_name, run_on_each
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state


@click.command("scale", cls=PydCommand, examples=(("pyd service scale web=5 worker=2", "scale two services"),))
@click.argument("services", nargs=-1, required=True, metavar="SERVICE=REPLICAS...")
@click.option("-d", "--detach", is_flag=True, hidden=True, expose_value=False, help="No effect: always on.")
@pass_state
def command(state: State, /, *, services: tuple[str, ...]) -> int:
    """Scale one or more replicated services."""
    replicas: dict[str, int] = {}
    for text in services:
        name, equals, count = text.rpartition("=")
        if not equals or not count.isdecimal():
            raise InvalidInput(f"not a number of replicas: {safe(text)!r}", hint="write SERVICE=5")
        replicas[name] = int(count)
    return run_on_each(
        state, list(replicas), lambda engine, name: engine.services.scale(name, replicas[name]), resolve=keep_name
    )
